"""Python's compiled files: the header must name the source as it is now, and the source must be sound.

The code itself is not compared (it would have to be compiled by the same interpreter): strength `header` says so.
"""

from __future__ import annotations

import importlib.util
import re

from hinomi.watch.baseline.compare import Difference, Values
from hinomi.watch.baseline.world import Reason, World

MAX_SOURCE = 16 << 20
_NAME = re.compile(rb"(.*)/__pycache__/([^/]+?)\.[a-z]+-?\d+(?:\.opt-[12])?\.pyc")


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain a compiled file by its source, its going by the source's, and the folder that holds such files."""
    path = difference.path
    if difference.kind == "directory" and path.endswith(b"/__pycache__") and difference.what != "changed":
        return Reason("byte-code", "", "declared")
    found = _NAME.fullmatch(path)
    if found is None or difference.kind != "file":
        return None
    source = found[1] + b"/" + found[2] + b".py"
    real = world.resolve(source, world.now)  # python compiles what a link leads to
    values = None if real is None else world.now(real)
    if difference.new is None:
        gone = values is None or source in world.differences
        return Reason("byte-code", _shown(source), "declared") if gone else None
    if values is None or not world.is_sound(source) or difference.new["mode"] & 0o6111:
        return None
    return Reason("byte-code", _shown(source), "header") if _fits(path, source, values, world) else None


def _fits(path: bytes, source: bytes, values: Values, world: World) -> bool:
    """Whether the header (PEP 552) is that of the source."""
    head = _head(path, world)
    if len(head) < 16 or head[2:4] != b"\r\n":
        return False
    flags = int.from_bytes(head[4:8], "little")
    if flags & 1:
        text = world.read(source, MAX_SOURCE)
        return text is not None and head[8:16] == importlib.util.source_hash(text)
    seconds, size = values["mtime"] // 10**9, values["size"]
    expected: bytes = (seconds & 0xFFFFFFFF).to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")
    return head[8:16] == expected


def _head(path: bytes, world: World) -> bytes:
    try:
        with world.reader.open(path) as file:
            return file.read(16)
    except OSError:
        return b""


def _shown(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")
