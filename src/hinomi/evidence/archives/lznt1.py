"""LZNT1, the compression of NTFS. Format: [MS-XCA] 2.5."""

from __future__ import annotations

from hinomi.model.errors import ParseError

CHUNK = 4096


def lznt1_block(packed: bytes, limit: int) -> bytes:
    """Return at most `limit` plain bytes; a chunk shorter than 4 KiB is filled up with zeros but for the last."""
    out: list[bytes] = []
    at = size = 0
    while at + 2 <= len(packed) and size < limit:
        header = int.from_bytes(packed[at : at + 2], "little")
        if not header:
            break
        end = at + 3 + (header & 0xFFF)
        body = packed[at + 2 : end]
        plain = _chunk(body) if header & 0x8000 else body
        out.append(plain)
        size += len(plain)
        at = end
    return b"".join(out)[:limit]


def _chunk(body: bytes) -> bytes:
    out = bytearray()
    at = 0
    while at < len(body):
        flags = body[at]
        at += 1
        for bit in range(8):
            if at >= len(body):
                break
            if not flags >> bit & 1:
                out.append(body[at])
                at += 1
            else:
                _copy(out, int.from_bytes(body[at : at + 2], "little"))
                at += 2
    return bytes(out)


def _copy(out: bytearray, word: int) -> None:
    """Repeat earlier bytes: the further in a chunk, the more bits say how far back, the fewer how many."""
    bits = max(4, (len(out) - 1).bit_length())
    distance, length = (word >> (16 - bits)) + 1, (word & ((1 << (16 - bits)) - 1)) + 3
    if distance > len(out) or len(out) + length > CHUNK:
        raise ParseError("archive.damaged", cause="LZNT1 distance or length")
    block = bytes(out[-distance:][:length])
    out += (block * (length // len(block) + 1))[:length]
