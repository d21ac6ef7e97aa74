"""A file after its one reading: what is in memory anyway is handed on, and only while it is there."""

from __future__ import annotations

import hashlib
import io

import pytest

from hinomi.evidence.content import CHUNK, SMALL, Content
from hinomi.evidence.folders import Identity
from hinomi.evidence.view import Entry


class Handle:
    def __init__(self, data, step=CHUNK):
        self.file, self.data, self.step = io.BytesIO(data), data, step

    def identity(self):
        return Identity(1, 1, len(self.data), 0, 0)

    def read(self, size):
        return self.file.read(size)

    def readinto(self, buffer):
        return self.file.readinto(buffer[: self.step])

    def rewind(self):
        self.file.seek(0)

    def reader(self):
        return io.BytesIO(self.data)


def content(data, step=CHUNK):
    entry = Entry(b"/f", "file", len(data), 0o644, 0, 0, 1, 1, 1, 0.0, 0.0)
    return Content(entry, Handle(data, step), None, 1 << 30)


@pytest.mark.parametrize("size", [0, 99, SMALL, SMALL + 1, CHUNK])
def test_what_one_read_gave_is_in_memory(size):
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    found = content(data)
    memory = found.memory()
    assert memory is not None and memory.readonly and memory == data
    assert found.open().read() == data and found.sha256 == hashlib.sha256(data).hexdigest()


def test_what_needs_several_reads_is_not():
    assert content(bytes(CHUNK + 1)).memory() is None
    assert content(bytes(SMALL + 5), step=SMALL).memory() is None


def test_it_is_gone_when_the_next_file_is_read():
    first = content(b"1" * (SMALL + 1))
    assert first.memory() == b"1" * (SMALL + 1)
    second = content(b"2" * (SMALL + 2))
    assert first.memory() is None and first.open().read() == b"1" * (SMALL + 1)
    assert second.memory() == b"2" * (SMALL + 2)
    content(bytes(CHUNK + 1))
    assert second.memory() is None


@pytest.mark.parametrize("following", [b"small", b"2" * (SMALL + 2)])
def test_what_is_read_of_a_large_file_is_its_own(following):
    large = content(b"1" * (SMALL + 1))
    assert large.read(9) == b"1" * 9
    content(following)
    assert large.memory() is None and large.read(9) == b"1" * 9
