"""Places in a program's data: the compiled search beside the expressions it stands for."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinomi.evidence.elf import strings
from hinomi.evidence.elf.strings import Found, search
from hinomi.evidence.native import compiled

texts = compiled("texts")
pytestmark = pytest.mark.skipif(texts is None, reason="the compiled core is not built")

WORDS = frozenset({b"com", b"rm"})
_words = st.sampled_from(
    [b"\0", b"\0\0", b"203.0.113.7", b".1.2.3", b".12.34.56:8080", b"198.51.100.20:443", b"1234.5.6", b".com", b".example.com:443",
     b"c2.example.net", b".jp\0", b":12345", b":1.", b"http://", b"https://a.example/x", b"://", b"/etc/passwd", b"/usr/lib/x.so",
     b"/lib64/", b"/lib/ab", b"/var/%s", b"/", b"//", b" -rf", b" -", b"rm ", b"sh -c ", b"%s", b"%d/", b"%", b": ", b"\x7f",
     b"\x1b", b"\n", b"\t", b"\xff", b"x" * 299, b"/bin/" + b"y" * 300, b" " * 301, b"a", b".", b"9"]
)  # fmt: skip
_data = st.lists(_words | st.binary(max_size=12), max_size=30).map(b"".join)
_steady = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])  # on a busy machine


def searched(data: bytes) -> tuple[list[str], ...]:
    found = Found()
    search(data, found)
    return list(found.addresses), list(found.paths), list(found.urls)


@_steady
@given(_data, st.sampled_from([1, 2, 2_000]))
def test_both_searches_find_the_same(data: bytes, room: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strings, "_ROOM", room)
        found = searched(data)
        parts = [list(part(data, texts)) for part in _PARTS]
        patch.setattr(strings, "compiled", lambda name: None)
        assert searched(data) == found
        assert [list(part(data, None)) for part in _PARTS] == parts


_PARTS = (
    strings._urls, strings._ipv4, strings._hosts,
    lambda data, core: strings._paths(data, strings._SLASH, core),
    lambda data, core: strings._paths(data, strings._OPTION, core),
    lambda data, core: strings._paths(data, strings._FORMAT, core),
)  # fmt: skip


@_steady
@given(st.binary(max_size=200), st.integers(0, 2), st.integers(0, 300), st.integers(1, 5))
def test_answers_stay_inside_the_data_and_the_room(data: bytes, kind: int, at: int, room: int) -> None:
    for call in (texts.tails, texts.strings):
        found, after = call(data, kind, at, room, WORDS)
        assert len(found) <= room and (after == -1 or after > at)
        assert all(at >= 0 and (place if isinstance(place, int) else place[1]) <= len(data) for place in found)


@pytest.mark.parametrize("arguments", [(b"x", 3, 0, 1), (b"x", -1, 0, 1), (b"x", 0, -1, 1), (b"x", 0, 0, 0)])
def test_senseless_questions_are_refused(arguments: tuple[bytes, int, int, int]) -> None:
    for call in (texts.tails, texts.strings):
        with pytest.raises(ValueError, match="no such"):
            call(*arguments, WORDS)
        with pytest.raises(TypeError):
            call(b"x", 0, 0, 1, [b"list"])


def test_data_without_any_end_is_searched_in_one_go() -> None:
    found, after = texts.strings(b"a /b" * 100_000, 0, 0, 65_536, WORDS)
    assert found == [] and after == -1
