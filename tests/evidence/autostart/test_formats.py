"""Formats the mechanisms read: APT's configuration, crontab lines, keys, shortcuts, tasks."""

import base64
import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.autostart.aptconf import settings as apt_settings
from hinomi.evidence.autostart.mechanisms.authorized_keys import parse_key
from hinomi.evidence.autostart.mechanisms.cron import parse_job
from hinomi.evidence.autostart.mechanisms.scheduled_task import read_xml
from hinomi.evidence.autostart.shortcut import Shortcut, is_shortcut, read_shortcut
from hinomi.model.errors import ParseError

KEY = base64.b64encode(b"\0\0\0\x0bssh-ed25519" + b"k" * 36).decode()


def test_apt_settings_of_every_form() -> None:
    text = (
        '// c\nDPkg::Post-Invoke {"a; b"; "c";};\nAPT { Update { '
        'Pre-Invoke:: "d"; } }\n# x\n/* "no"; */ DPkg::Pre-Invoke:: "e";\n'
        "APT::Periodic::Enable 1;\n"
    )
    assert list(apt_settings(text)) == [
        (2, "DPkg::Post-Invoke", "a; b"),
        (2, "DPkg::Post-Invoke", "c"),
        (3, "APT::Update::Pre-Invoke", "d"),
        (5, "DPkg::Pre-Invoke", "e"),
        (6, "APT::Periodic::Enable", "1"),
    ]


@pytest.mark.parametrize(
    ("line", "with_user", "expected"),
    [
        ("*/5 * * * * root /x a", True, ("*/5 * * * *", "root", "/x a")),
        ("*/5 * * * * /x a b", False, ("*/5 * * * *", None, "/x a b")),
        ("@reboot /x", False, ("@reboot", None, "/x")),
        ("@daily root:wheel /x", True, ("@daily", "root", "/x")),
        ("0 0 * * mon-fri /x%input", False, ("0 0 * * mon-fri", None, "/x")),
        ("0 0 * * * /x \\% y", False, ("0 0 * * *", None, "/x \\% y")),
        ("hello world", False, None),
        ("1 2 3 4 5", False, None),
        ("! 2 3 4 5 /x", False, None),
    ],
)
def test_cron_lines(line: str, with_user: bool, expected) -> None:
    assert parse_job(line, with_user=with_user) == expected


def test_a_key_with_options() -> None:
    key = parse_key(f'no-pty,command="/x \\"a b\\"",from="10.0.0.0/8" ssh-ed25519 {KEY} who@where now')
    assert key is not None
    assert key.command == '/x "a b"'
    assert key.comment == "who@where now"
    assert key.kind == "ssh-ed25519"
    assert key.fingerprint.startswith("SHA256:") and len(key.fingerprint) == 50


@pytest.mark.parametrize("line", ["", "ssh-rsa", "ssh-rsa AAAA!!", "hello world", f"ssh-ed25519 {KEY[:5]}"])
def test_other_lines_hold_no_key(line: str) -> None:
    assert parse_key(line) is None


def shortcut(target: str, arguments: str) -> bytes:
    header = struct.pack("<I16sI", 76, bytes.fromhex("0114020000000000c000000000000046"), 0x2 | 0x20 | 0x80).ljust(
        76, b"\0"
    )
    path = target.encode("cp932") + b"\0"
    info = struct.pack("<7I", 28 + len(path), 28, 1, 0, 28, 0, 0) + path
    words = arguments.encode("utf-16-le")
    return header + info + struct.pack("<H", len(words) // 2) + words


def test_a_shortcut_leads_to_its_program() -> None:
    data = shortcut("C:\\ProgramData\\更新\\a.exe", "/q 一")
    assert is_shortcut(data)
    assert read_shortcut(data) == Shortcut("C:\\ProgramData\\更新\\a.exe", "/q 一", None)
    for cut in (10, 70, 78, 90):
        with contextlib.suppress(ParseError):
            read_shortcut(data[:cut])


def test_tasks_with_entities_are_refused() -> None:
    assert read_xml('<?xml version="1.0" encoding="UTF-16"?><Task/>'.encode("utf-16"), "t").tag == "Task"
    with pytest.raises(ParseError):
        read_xml(b'<!DOCTYPE a [<!ENTITY b "c">]><Task>&b;</Task>', "t")
    with pytest.raises(ParseError):
        read_xml(b"<Task>", "t")


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text('{};":/*#\n aB:', max_size=200), st.binary(max_size=200), st.text(max_size=100))
def test_any_input_is_read_or_refused(text: str, data: bytes, line: str) -> None:
    list(apt_settings(text))
    parse_job(line, with_user=True)
    parse_key(line)
    for read in (lambda: read_shortcut(shortcut("a", "b")[:24] + data), lambda: read_xml(data, "t")):
        with contextlib.suppress(ParseError):
            read()
