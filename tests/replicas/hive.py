"""Writes small registry hives for tests."""

from __future__ import annotations

import struct

NONE = 0xFFFFFFFF
KINDS = {str: 1, int: 4, list: 7}


class HiveWriter:
    """Collects cells; `hive` turns nested dicts (keys) with `values` dicts into a regf file."""

    def __init__(self) -> None:
        self.cells = bytearray()

    def cell(self, data: bytes) -> int:
        """Append a cell and return its offset."""
        offset = len(self.cells) + 32  # the first bin's header
        size = (len(data) + 4 + 7) // 8 * 8
        self.cells += struct.pack("<i", -size) + data.ljust(size - 4, b"\0")
        return offset

    def key(self, name: str, tree: dict, *, at: int | None = None) -> int:
        """Write a key with everything under it, into the cell reserved at `at` if one is given."""
        subkeys = [self.key(k, v) for k, v in tree.items() if isinstance(v, dict)]
        values = [self.value(k, v) for k, v in tree.items() if not isinstance(v, dict)]
        entries = b"".join(struct.pack("<II", offset, 0) for offset in subkeys)
        sub_list = self.cell(struct.pack("<2sH", b"lh", len(subkeys)) + entries) if subkeys else NONE
        value_list = self.cell(struct.pack(f"<{len(values)}I", *values)) if values else NONE
        raw = name.encode("latin-1")
        fields = (len(subkeys), 0, sub_list, NONE, len(values), value_list, NONE, NONE, 0, 0, 0, 0, 0, len(raw), 0)
        data = struct.pack("<2sHQII13I2H", b"nk", 0x20, 0, 0, 0, *fields) + raw
        if at is None:
            return self.cell(data)
        self.cells[at - 28 : at - 28 + len(data)] = data
        return at

    def value(self, name: str, value: str | int | list) -> int:
        """Write a value."""
        raw = name.encode("latin-1")
        kind = KINDS[type(value)]
        if isinstance(value, int):
            return self.cell(struct.pack("<2sHIIIHH", b"vk", len(raw), 0x80000004, value, kind, 1, 0) + raw)
        text = "\0".join(value) + "\0\0" if isinstance(value, list) else value + "\0"
        data = text.encode("utf-16-le")
        where = self.cell(data)
        return self.cell(struct.pack("<2sHIIIHH", b"vk", len(raw), len(data), where, kind, 1, 0) + raw)


def hive(tree: dict, *, dirty: bool = False) -> bytes:
    """Return a hive whose root holds `tree`: dicts are keys, anything else values."""
    writer = HiveWriter()
    root = writer.key("ROOT", tree, at=writer.cell(b"\0" * 80))
    size = (len(writer.cells) + 32 + 4095) // 4096 * 4096
    header = struct.pack("<4sIIQIIIIII", b"regf", 2 if dirty else 1, 1, 0, 1, 5, 0, 1, root, size).ljust(4096, b"\0")
    bin_header = struct.pack("<4sII", b"hbin", 0, size).ljust(32, b"\0")
    return header + (bin_header + bytes(writer.cells)).ljust(size, b"\0")
