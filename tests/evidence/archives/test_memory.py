"""What one process has walked, the others know."""

from __future__ import annotations

import os

import pytest

from hinomi.evidence.archives.memory import SHELF, SHELVES, Memory
from hinomi.evidence.java.finder import pack, unpack
from hinomi.evidence.java.metadata import Claim

KEPT = (
    (("lib/x",), Claim("maven", "a:b", "1.0", b"root/\xff", b"root/\xffpom.properties")),
    ((), Claim("npm", "é", None, strong=False)),
)


def test_claims_survive_the_way_between_processes():
    assert unpack(pack(KEPT)) == KEPT
    assert unpack(pack(())) == ()


@pytest.mark.parametrize("kept", [(), KEPT[:1]])
def test_what_a_child_keeps_its_parent_knows(kept):
    memory = Memory(pack, unpack)
    child = os.fork()
    if child == 0:
        memory.keep(-77, kept)
        memory.add_innocent(5)
        os._exit(0)
    os.waitpid(child, 0)
    assert memory.kept(-77) == kept
    assert memory.is_innocent(5)
    assert memory.kept(-77 + SHELVES) is None
    assert memory.kept(0) is None


def test_what_is_torn_or_too_large_is_not_believed():
    memory, other = Memory(pack, unpack), Memory(pack, unpack)
    other._shelves = memory._shelves
    memory.keep(9, KEPT[:1])
    assert other.kept(9) == KEPT[:1]
    at = 9 * SHELF
    memory._shelves[at + 40] ^= 1
    fresh = Memory(pack, unpack)
    fresh._shelves = memory._shelves
    assert fresh.kept(9) is None
    long = tuple((("x" * 300,), KEPT[0][1]) for _ in range(2))
    memory.keep(10, long)
    assert memory.kept(10) == long and fresh.kept(10) is None


def test_without_words_for_it_nothing_is_shared():
    memory = Memory()
    memory.keep(3, KEPT)
    assert memory.kept(3) == KEPT
    assert bytes(memory._shelves[3 * SHELF : 4 * SHELF]) == bytes(SHELF)
