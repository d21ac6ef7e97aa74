"""WMI subscriptions and macOS login items: read from what the systems themselves write."""

from __future__ import annotations

import plistlib
import struct

from hypothesis import given
from hypothesis import strategies as st

from hinomi.evidence.autostart.mechanisms import login_item, wmi_consumer
from hinomi.evidence.autostart.site import Site
from hinomi.evidence.sources.memory import memory_target
from hinomi.model.findings import Coverage
from hinomi.model.tables.host import Persistence

REPOSITORY = "/Windows/System32/wbem/Repository/OBJECTS.DATA"
BINDING = (
    b'__FilterToConsumerBinding\0\0CommandLineEventConsumer.Name="Tidy up"\0\0' + b"\1" * 40 +
    b'__EventFilter.Name="Every hour"\0\0'
)  # fmt: skip
CONSUMER = b"\0CommandLineEventConsumer\0\0C:\\Users\\Public\\tidy.exe -q\0\0Tidy up\0\0"
FILTER = b"\0__EventFilter\0\x1c\0root\\cimv2\0\0Every hour\0\0SELECT * FROM __TimerEvent WITHIN 60\0\0WQL\0"


def site(files: dict[str, bytes], **options: str) -> Site:
    return Site(memory_target(dict(files), **options), Coverage())  # type: ignore[arg-type]


def subscriptions(data: bytes) -> list[Persistence]:
    return list(wmi_consumer.find(site({REPOSITORY: data})))


def test_a_bound_consumer_with_its_command_and_query() -> None:
    (row,) = subscriptions(b"\0" * 900 + FILTER + b"\0" * 300 + CONSUMER + b"\0" * 300 + BINDING)
    assert (row.mechanism, row.name) == ("wmi-consumer", "CommandLineEventConsumer: Tidy up")
    assert row.command == "C:\\Users\\Public\\tidy.exe -q"
    assert row.schedule == "SELECT * FROM __TimerEvent WITHIN 60"
    assert (row.path, row.trigger, row.user) == (REPOSITORY, "event", "SYSTEM")


def test_parts_on_both_sides_of_a_window() -> None:
    filling = b"\0" * (wmi_consumer.WINDOW - 12)
    (row,) = subscriptions(filling + CONSUMER + filling + BINDING + FILTER)
    assert row.command.endswith("tidy.exe -q")
    assert row.schedule is not None


def test_a_consumer_without_a_binding_does_nothing() -> None:
    assert subscriptions(CONSUMER + FILTER) == []


def test_a_volume_without_a_repository() -> None:
    assert list(wmi_consumer.find(site({"/Windows/win.ini": b""}))) == []


@given(st.binary(max_size=400))
def test_a_damaged_repository_is_read_as_far_as_it_goes(data: bytes) -> None:
    for row in subscriptions(BINDING + data + CONSUMER[: len(data) % 60] + FILTER):
        assert row.mechanism == "wmi-consumer"


def bookmark(*parts: str) -> bytes:
    items = b""
    for part in parts:
        raw = part.encode()
        items += struct.pack("<II", len(raw), 0x0101) + raw + b"\0" * (-len(raw) % 4)
    items += struct.pack("<II", 8, 0x0304) + bytes(8)
    header = b"book" + struct.pack("<III", 48 + len(items), 0x10040000, 48) + bytes(32)
    return header + struct.pack("<I", 4 + len(items)) + items


def items(path: str, tree: dict[str, object]) -> list[tuple[str, str | None]]:
    data = plistlib.dumps(tree, fmt=plistlib.FMT_BINARY)
    found = login_item.find(site({path: data, "/Users/mika/.x": b""}))
    return [(row.command, row.user) for row in found]


def test_items_of_everyone_since_macos_13() -> None:
    tree = {"$objects": ["$null", "file:///Users/mika/Library/Ubic%20Tool.app/", "text", {"a": "/tmp/helper"}, 7]}
    assert items("/private/var/db/com.apple.backgroundtaskmanagement/BackgroundItems-v8.btm", tree) == [
        ("/Users/mika/Library/Ubic Tool.app", None),
        ("/tmp/helper", None),
    ]


def test_items_of_a_user_as_bookmarks() -> None:
    tree = {"SessionItems": {"CustomListItems": [{"Bookmark": bookmark("Applications", "Some Tool.app")}]}}
    path = "/Users/mika/Library/Preferences/com.apple.loginitems.plist"
    assert items(path, tree) == [("/Applications/Some Tool.app", "mika")]


@given(st.binary(max_size=120))
def test_a_broken_bookmark_names_nothing_false(data: bytes) -> None:
    tree = {"Bookmark": b"book" + data}
    for command, _ in items("/private/var/db/com.apple.backgroundtaskmanagement/a.btm", tree):
        assert command.startswith("/")
