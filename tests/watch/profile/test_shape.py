import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.watch.profile.shape import MAX_SHAPE, is_loopback, listening_shape, peer_shape, shape_of


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        (["/usr/bin/x", "-p", "80", "/var/lib/x/7"], "-p # /var/lib/*"),
        (["x", "--port=8080", "--host=192.0.2.7", "-v2"], "--port=# --host=ip -v#"),
        (["curl", "-s", "https://example.com/a?b=1"], "-s url"),
        (["sh", "-c", "while true; do x; done"], "-c <while>"),
        (["x", "deadbeef01234567", "2001:db8::1", "192.0.2.1:443"], "@ ip ip"),
        (["x", "QmFzZTY0QmFzZTY0QmFzZTY0QmFzZTY0"], "blob"),
        (["postgres: writer process 17"], "writer process #"),
        (["x"], ""),
        ([], ""),
        (["x", "/"], "/"),
    ],
)
def test_what_stays_the_same(arguments: list[str], shape: str) -> None:
    assert shape_of(arguments) == shape


def test_the_same_program_with_other_numbers_has_the_same_shape() -> None:
    one = ["java", "-Xmx512m", "-jar", "/opt/a/app-1.2.jar", "--id", "7f3a9c1e55"]
    two = ["java", "-Xmx2048m", "-jar", "/opt/a/app-1.10.jar", "--id", "9910aa0c31"]
    assert shape_of(one) == shape_of(two)
    assert shape_of(["sshd", "-D"]) != shape_of(["sshd", "-D", "-f", "/tmp/x"])


def test_sockets() -> None:
    assert listening_shape("tcp6", "::", 443) == listening_shape("tcp", "0.0.0.0", 443) == "tcp 443 any"
    assert listening_shape("udp", "127.0.0.1", 50123) == "udp ephemeral local"
    assert peer_shape("tcp", "203.0.113.77", 443) == peer_shape("tcp6", "::ffff:203.0.113.9", 443)
    assert peer_shape("tcp6", "2001:db8:1:2::3", 22) == "tcp 2001:db8:1::/48 22"
    assert peer_shape("tcp", "junk", 1) == "tcp ? 1"
    assert is_loopback("::1") and is_loopback("127.9.9.9") and is_loopback("::ffff:127.0.0.1")
    assert not is_loopback(None) and not is_loopback("junk") and not is_loopback("192.0.2.1")


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=20))
def test_any_arguments_have_a_bounded_shape(arguments: list[str]) -> None:
    assert len(shape_of(arguments)) <= MAX_SHAPE
    assert shape_of(arguments) == shape_of(list(arguments))
