import pytest

from hinomi.evidence.process.scriptname import script_of


@pytest.mark.parametrize(
    ("exe", "arguments", "expected"),
    [
        (b"/bin/dash", [b"/bin/sh", b"/etc/rc.local", b"start"], b"/etc/rc.local"),
        (b"/usr/bin/bash", [b"bash", b"-x", b"+o", b"posix", b"run.sh"], b"/srv/run.sh"),
        (b"/usr/bin/bash", [b"bash", b"-c", b"sleep 1"], None),
        (b"/usr/bin/bash", [b"-bash"], None),
        (b"/usr/bin/bash", [b"bash", b"-ec", b"sleep 1", b"name"], None),
        (b"/usr/bin/python3.11", [b"python3", b"-u", b"-W", b"error", b"../a/b.py"], b"/a/b.py"),
        (b"/usr/bin/python3.11", [b"python3", b"-m", b"http.server"], None),
        (b"/usr/bin/perl", [b"perl", b"-e", b"1"], None),
        (b"/bin/busybox", [b"sh", b"/x"], b"/x"),
        (b"/bin/busybox", [b"cat", b"/x"], None),
        (b"/usr/bin/cat", [b"cat", b"/x"], None),
        (b"/bin/sh", [b"sh", b"--", b"-odd"], None),
        (b"/bin/sh", [b"sh", b"-"], None),
        (None, [], None),
    ],
)
def test_the_script_among_the_arguments(exe: bytes | None, arguments: list[bytes], expected: bytes | None) -> None:
    assert script_of(exe, arguments, b"/srv") == expected


def test_a_relative_name_needs_a_folder() -> None:
    assert script_of(b"/bin/sh", [b"sh", b"x"], None) is None
