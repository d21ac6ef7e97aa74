import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.process import procfs
from hinomi.evidence.process.netstat import parse_table


def stat(name: bytes, flags: int = 0) -> bytes:
    return b"7 (" + name + b") S 1 7 7 34816 7 %d 0 0 0 0 0 0 0 0 20 0 1 0 4242 0" % flags


@pytest.mark.parametrize("name", [b"sh", b"a b", b") S 9 9", b"((", b"\xff\n"])
def test_names_may_hold_anything(name: bytes) -> None:
    found = procfs.parse_stat(stat(name, procfs.PF_KTHREAD))
    assert (found.name, found.state, found.ppid, found.session, found.start) == (name, b"S", 1, 7, 4242)
    assert found.flags & procfs.PF_KTHREAD
    assert procfs.terminal(found.tty) == "pts/0"


def test_exe_links() -> None:
    assert procfs.parse_exe(b"/bin/sh") == procfs.Exe(b"/bin/sh", False, False)
    assert procfs.parse_exe(b"/tmp/x (deleted)") == procfs.Exe(b"/tmp/x", True, False)
    assert procfs.parse_exe(b"/memfd:a b (deleted)") == procfs.Exe(b"/memfd:a b", False, True)


def test_environment_and_arguments() -> None:
    assert procfs.preload_of(b"A=1\0LD_PRELOAD=/x.so /y.so\0") == b"/x.so /y.so"
    assert procfs.preload_of(b"XLD_PRELOAD=/x\0LD_PRELOAD=\0") is None
    assert procfs.arguments(b"sh\0-c\0\0") == [b"sh", b"-c", b""]
    assert procfs.arguments(b"") == []
    assert procfs.arguments(b"postgres: writer") == [b"postgres: writer"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"0::/docker/" + b"a" * 64, "a" * 64),
        (b"0::/system.slice/docker-" + b"b" * 64 + b".scope\n", "b" * 64),
        (b"4:memory:/kubepods/pod1/" + b"c" * 64, "c" * 64),
        (b"0::/lxc.payload.web/init.scope", "web"),
        (b"0::/machine.slice/libpod-" + b"d" * 64 + b".scope/container", "d" * 64),
        (b"0::/user.slice/user-0.slice", None),
        (b"", None),
    ],
)
def test_containers_by_their_cgroup(text: bytes, expected: str | None) -> None:
    assert procfs.container_of(text) == expected


def test_socket_tables() -> None:
    head = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    tcp = b"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   33        0 555 1 x\n"
    six = b"   0: " + b"0" * 24 + b"01000000:0016 " + b"0" * 32 + b":0000 0A 0:0 0:0 0 0 0 556 2 x\n"
    udp = b"  10: 00000000:0044 00000000:0000 07 0:0 0:0 0 0 0 557 2 x 0\n"
    packet = b"sk RefCnt Type Proto Iface R Rmem User Inode\nffff 3 3 0003 0 1 0 0 558\n"
    assert list(parse_table("tcp", head + tcp + b"garbage\n")) == [("127.0.0.1", 8080, "0.0.0.0", 0, "listen", 33, 555)]
    assert list(parse_table("tcp6", head + six)) == [("::1", 22, "::", 0, "listen", 0, 556)]
    assert list(parse_table("udp", head + udp)) == [("0.0.0.0", 68, "0.0.0.0", 0, "listen", 0, 557)]
    assert list(parse_table("packet", packet)) == [(None, None, None, None, None, 0, 558)]


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    procfs.arguments(data)
    procfs.preload_of(data)
    procfs.container_of(data)
    procfs.parse_exe(data)
    for protocol in ("tcp", "udp6", "packet"):
        list(parse_table(protocol, b"head\n" + data))
    for parse in (procfs.parse_stat, procfs.parse_status):
        try:
            parse(data)
        except ValueError as error:
            assert str(error)
