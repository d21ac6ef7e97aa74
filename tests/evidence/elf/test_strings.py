"""What counts as an address, a host, a path or a command in a program's data."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.elf.strings import Found, search


def found(*strings: bytes) -> Found:
    result = Found()
    search(b"\0" + b"\0".join(strings) + b"\0", result)
    return result


@pytest.mark.parametrize(
    "text",
    ["203.0.113.7", "198.51.100.20:443", "93.184.216.34", "1.1.1.1", "8.8.8.8:53", "5.2.3.4:8080", "192.0.2.77"],
)
def test_public_addresses(text: str) -> None:
    assert list(found(text.encode()).addresses) == [text]
    assert list(found(b"connect to " + text.encode() + b" now").addresses) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "10.0.0.1:80",
        "192.168.1.1",
        "172.16.4.4",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.251",
        "169.254.1.1",
        "1.2.3.4",
        "10.2.1.7",
        "v2.45.0.33",
        "version 93.184.216.34",
        "2.5.29.35",
        "1.3.6.1",
        "1.3.6.1.4.1",
        "300.1.2.3",
        "93.184.216.034",
        "libfoo-93.184.216.34-r1",
        "93.184.216.34.5",
        "OID 93.184.216.34",
    ],
)
def test_versions_and_private_addresses_are_none(text: str) -> None:
    assert list(found(text.encode()).addresses) == []


@pytest.mark.parametrize(
    "text",
    ["update.example.com:443", "a.b.example.org:8443", "c2-host.example.net", "node7.example.jp", "example.rs:443x"],
)
def test_hosts(text: str) -> None:
    expected = [] if text.endswith("x") else [text]
    assert list(found(text.encode()).addresses) == expected


@pytest.mark.parametrize(
    "text",
    [
        "lib.rs:120",
        "main.py:44",
        "readme.md",
        "libc.so",
        "run.sh",
        "org.freedesktop.DBus",
        "com.sun.example.net",
        "/etc/host.conf",
        "user@example.com",
        "%s.example.com",
        "setting.name",
        "1.20:30",
        "sse2.cmp.sd",
    ],
)
def test_dotted_names_that_are_no_hosts(text: str) -> None:
    assert list(found(text.encode()).addresses) == []


@pytest.mark.parametrize(
    "text",
    [
        "/etc/passwd",
        "/tmp/.x/run",
        "/bin/sh",
        "/dev/mtd%d",
        "/bin/sh %s",
        "sh /opt/x",
        "sh -c '%s'",
        "rm -rf /var/log",
        "/usr/sbin/keeper -d -c /etc/keeper.conf",
        "kill -9 %d",
        "mount -o remount,rw /",
        "cp /tmp/a /usr/bin/b",
        "killall %s",
        "nohup ./agent &",
        "iptables -I INPUT -j ACCEPT",
        "gzip -dc image",
        "busybox telnetd -l /bin/x",
        "ls > /tmp/o",
    ],
)
def test_paths_and_commands(text: str) -> None:
    assert list(found(text.encode()).paths) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "and/or",
        "see /usr for more",
        "/ * comment",
        "kill %s: no such process",
        "time to retry %s",
        "/Type /XObject",
        "find the range for %d",
        "usage: %s -x",
        "last %s of",
        "100 %d",
        "text with/slash",
        "/usr not available in %s",
    ],
)
def test_prose_is_neither(text: str) -> None:
    assert list(found(text.encode()).paths) == []


def test_urls() -> None:
    text = b"get https://example.com/a?b=c&d=e, then http://%s:%d/x or tcp://203.0.113.9:4444."
    assert list(found(text).urls) == ["https://example.com/a?b=c&d=e", "http://%s:%d/x", "tcp://203.0.113.9:4444"]
    assert list(found(text).addresses) == ["203.0.113.9:4444"]


def test_strings_without_ends_still_give_known_paths() -> None:
    blob = b"x" * 900 + b"/etc/passwdunexpected" + b"y" * 900
    result = Found()
    search(blob, result)
    assert [path.startswith("/etc/passwd") for path in result.paths] == [True]


def test_the_start_of_a_string_must_be_in_reach() -> None:
    result = Found()
    search(b"y" * 900 + b" sh /opt/x\0" + b"\0ls /x\0", result)
    assert list(result.paths) == ["ls /x"]


def test_lists_are_bounded() -> None:
    result = found(*[b"/opt/x%d" % i for i in range(2000)], *[b"http://h%d.example.com/" % i for i in range(900)])
    assert (len(result.paths), len(result.urls)) == (500, 200)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from([b"\0", b"/", b".", b":", b"%s", b" -x", b"://", b"12", b"com", b"sh", b"a", b" ", b"\xff"])
    )
)
def test_any_data_is_searched(parts: list[bytes]) -> None:
    result = Found()
    search(b"".join(parts), result)
    assert all(path.isascii() for path in result.paths)


def test_long_hostile_data_takes_no_longer_than_its_length() -> None:
    for piece in (b"/", b".1", b"://a", b"a.", b" -a", b"%s", b"a.com:", b"1.1.1.1.", b"-.", b"/a%s -b."):
        result = Found()
        search(piece * (400_000 // len(piece)), result)
        assert len(result.paths) <= 500
