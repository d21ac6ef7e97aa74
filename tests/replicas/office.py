"""Writes inert Office containers for tests: OLE files, VBA projects in them, and OOXML documents around those.

Nothing here runs: the macro text is data that the tests' readers look at.
"""

from __future__ import annotations

import io
import struct
import zipfile

SECTOR = 512
END, FREE, FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
NO_ENTRY = 0xFFFFFFFF


def compress(data: bytes) -> bytes:
    """Return an MS-OVBA compressed container with literal and copy tokens."""
    result = bytearray(b"\x01")
    for start in range(0, len(data), 4096):
        chunk = data[start : start + 4096]
        packed = _packed(chunk)
        if len(packed) > 4096:
            packed = chunk.ljust(4096, b"\0")
            result += struct.pack("<H", 0x3000 | 4095) + packed
        else:
            result += struct.pack("<H", 0xB000 | (len(packed) - 1)) + packed
    return bytes(result)


def _packed(chunk: bytes) -> bytes:
    result = bytearray()
    position = 0
    while position < len(chunk):
        flags, group = 0, bytearray()
        for bit in range(8):
            if position >= len(chunk):
                break
            offset_bits = max((position - 1).bit_length(), 4) if position else 4
            offset, length = _match(chunk, position, 1 << offset_bits, (1 << (16 - offset_bits)) + 2)
            if length >= 3:
                flags |= 1 << bit
                group += struct.pack("<H", (offset - 1) << (16 - offset_bits) | (length - 3))
                position += length
            else:
                group.append(chunk[position])
                position += 1
        result.append(flags)
        result += group
    return bytes(result)


def _match(chunk: bytes, position: int, window: int, longest: int) -> tuple[int, int]:
    start = chunk.rfind(chunk[position : position + 3], max(0, position - window), position + 2)
    if start < 0 or start >= position or len(chunk) - position < 3:
        return 0, 0
    length = 3
    while length < longest and position + length < len(chunk) and chunk[start + length] == chunk[position + length]:
        length += 1
    return position - start, length


def ole_file(streams: dict[str, bytes]) -> bytes:
    """Return a compound file of `{"storage/stream": content}`; contents are padded so that none is a mini stream."""
    nodes: list[dict] = [{"name": "Root Entry", "type": 5, "children": [], "data": b""}]
    index = {"": 0}
    for path, data in streams.items():
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            here = "/".join(parts[:depth])
            if here not in index:
                index[here] = len(nodes)
                leaf = depth == len(parts)
                nodes.append(
                    {"name": parts[depth - 1], "type": 2 if leaf else 1, "children": [],
                     "data": data.ljust(4096, b"\0") if leaf else b""}
                )  # fmt: skip
                nodes[index["/".join(parts[: depth - 1])]]["children"].append(index[here])
    chains: list[bytes] = []
    directory_sectors = (len(nodes) * 128 + SECTOR - 1) // SECTOR
    body_sectors = sum((len(n["data"]) + SECTOR - 1) // SECTOR for n in nodes)
    fat_sectors = 1
    while fat_sectors * 128 < fat_sectors + directory_sectors + body_sectors:
        fat_sectors += 1
    fat = [FAT] * fat_sectors + list(range(fat_sectors + 1, fat_sectors + directory_sectors)) + [END]
    for node in nodes:
        count = (len(node["data"]) + SECTOR - 1) // SECTOR
        node["start"] = len(fat) if count else END
        fat += [*range(len(fat) + 1, len(fat) + count), END] if count else []
        chains.append(node["data"].ljust(count * SECTOR, b"\0"))
    fat += [FREE] * (fat_sectors * 128 - len(fat))
    entries = b"".join(_entry(nodes, number) for number in range(len(nodes)))
    entries = entries.ljust(directory_sectors * SECTOR, b"\0")
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIIII", bytes.fromhex("d0cf11e0a1b11ae1"), b"\0" * 16, 0x3E, 3, 0xFFFE, 9, 6, b"\0" * 6, 0,
        fat_sectors, fat_sectors, 0, 4096, END, 0, END, 0, 0,
    )[:76]  # fmt: skip
    difat = [*range(fat_sectors), *[FREE] * (109 - fat_sectors)]
    header = header[:76].ljust(76, b"\0") + struct.pack("<109I", *difat)
    return header + struct.pack(f"<{len(fat)}I", *fat) + entries + b"".join(chains)


def _entry(nodes: list[dict], number: int) -> bytes:
    node = nodes[number]
    parent = next((n for n in nodes if number in n["children"]), None)
    siblings = parent["children"] if parent else [number]
    after = siblings.index(number) + 1
    right = siblings[after] if after < len(siblings) else NO_ENTRY
    child = node["children"][0] if node["children"] else NO_ENTRY
    name = node["name"].encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16sIQQIQ", name, len(name) + 2, node["type"], 1, NO_ENTRY, right, child, b"\0" * 16, 0, 0, 0,
        node["start"], len(node["data"]),
    )  # fmt: skip


def vba_streams(modules: dict[str, str], code_page: int = 932, folder: str = "VBA") -> dict[str, bytes]:
    """Return the streams of a VBA project: `dir`, and one per module with its source after 32 bytes of other data."""
    encoding = f"cp{code_page}"
    records = _record(0x01, struct.pack("<I", 1)) + _record(0x03, struct.pack("<H", code_page))
    records += _record(0x04, b"VBAProject") + struct.pack("<HIIH", 0x09, 4, 1, 1)
    records += _record(0x0F, struct.pack("<H", len(modules)))
    streams: dict[str, bytes] = {}
    for name, source in modules.items():
        raw = name.encode(encoding)
        records += _record(0x19, raw) + _record(0x47, name.encode("utf-16-le"))
        records += _record(0x1A, raw) + _record(0x32, name.encode("utf-16-le"))
        records += _record(0x31, struct.pack("<I", 32)) + _record(0x21, b"") + _record(0x2B, b"")
        text = f'Attribute VB_Name = "{name}"\r\n{source}'.encode(encoding)
        streams[f"{folder}/{name}"] = b"\xcc" * 32 + compress(text)
    return {f"{folder}/dir": compress(records + _record(0x10, b"")), **streams}


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HI", kind, len(data)) + data


def vba_project(modules: dict[str, str], code_page: int = 932) -> bytes:
    """Return a vbaProject.bin."""
    return ole_file({**vba_streams(modules, code_page), "PROJECT": b"ID={0}\r\n"})


def ooxml(parts: dict[str, bytes | str]) -> bytes:
    """Return an OOXML package of the given parts, content types first."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", '<?xml version="1.0"?><Types/>')
        archive.writestr("_rels/.rels", "<Relationships/>")
        for name, data in parts.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def xlsm(modules: dict[str, str]) -> bytes:
    """Return a workbook with macros."""
    return ooxml({"xl/workbook.xml": "<workbook/>", "xl/vbaProject.bin": vba_project(modules)})
