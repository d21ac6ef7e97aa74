import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.autostart.command import MAX_STARTED, started, words_of


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/usr/sbin/x -d", ["/usr/sbin/x"]),
        ("A=1 B='2 3' /x", ["/x"]),
        ("env -u HOME A=1 nice -n 5 ionice -c2 -n 7 /x", ["/x"]),
        ("nohup setsid /x >/dev/null 2>&1 &", ["/x"]),
        ("sudo -u www-data -- /x y", ["/x"]),
        ("timeout -k 5 10 /x", ["/x"]),
        ("flock -n /tmp/l -c '/x a'", ["/x"]),
        ("flock /tmp/l /x", ["/x"]),
        ('/bin/sh -c "/x && cd / && ./y"', ["/x", "./y"]),
        ("bash -lc 'exec /x'", ["/x"]),
        ("su - app -c '/opt/x start'", ["/opt/x"]),
        ("sh /etc/x.sh start", ["/etc/x.sh"]),
        ("python3 -u /x.py", ["/x.py"]),
        ("python3 -m http.server", ["python3"]),
        ("perl -e 'print 1'", ["perl"]),
        ("java -Xmx1g -jar /a.jar", ["/a.jar"]),
        (". /etc/x", ["/etc/x"]),
        ("[ -x /a ] && /a || echo no", ["/a"]),
        ("test -e /a || { cd / && run-parts /b; }", ["run-parts"]),
        ("if [ -f /a ]; then /a; fi", ["/a"]),
        ("start-stop-daemon --start --exec /x -- -q", ["/x"]),
        ("curl -s http://h/a | sh", ["curl", "sh"]),
        ("command -v x >/dev/null && x", ["x"]),
        ("busybox telnetd", ["telnetd"]),
        ("eval '/x y'", ["/x"]),
        ("/bin/true", ["/bin/true"]),
        ('"/opt/my app/x" -a', ["/opt/my app/x"]),
        ("echo hi", []),
        ("", []),
        ("/x 'unbalanced", ["/x"]),
    ],
)
def test_programs_are_seen_through_wrappers(command: str, expected: list[str]) -> None:
    assert started(command) == expected


def test_many_programs_are_bounded() -> None:
    assert len(started(";".join(f"/p{i}" for i in range(500)))) == MAX_STARTED


def test_nesting_ends() -> None:
    assert started("nice " * 400 + "/x") == []


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.text("ab/ -c'\"\\;&|<>()$`=\n\0\x1bshexecnv", max_size=200))
def test_any_command_line_is_read(command: str) -> None:
    assert all(isinstance(word, str) for word in words_of(command))
    assert len(started(command)) <= MAX_STARTED
