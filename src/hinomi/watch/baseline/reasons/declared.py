"""Data that programs rewrite by themselves, declared with a reason in `declared.yml`; never anything that could run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from hinomi.watch.baseline.compare import Difference
from hinomi.watch.baseline.world import Reason, World

_PROGRAMS = (b"\x7fELF", b"#!", b"MZ\x90", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"<?php", b"\0asm")
_KINDS = ("file", "directory", "symlink", "socket", "fifo")
_FREE = frozenset({"size", "inode", "links", "blocks", "mtime", "ctime", "btime", "sha256"})


@dataclass(frozen=True, slots=True)
class Declaration:
    """Paths whose content changes by itself, what changes it, and the attributes that may."""

    pattern: re.Pattern[bytes]
    by: str
    attributes: frozenset[str]


def explain(difference: Difference, world: World) -> Reason | None:
    """Explain declared data: no program or script, nothing executable, same kind, owner and rights as before."""
    declaration = next((d for d in declarations() if d.pattern.fullmatch(difference.path)), None)
    if declaration is None or difference.kind not in _KINDS:
        return None
    if difference.what == "changed" and not set(difference.attributes) <= declaration.attributes:
        return None
    if difference.new is not None and difference.new["kind"] == "file" and _could_run(difference, world):
        return None
    return Reason("declared", declaration.by, "declared")


def _could_run(difference: Difference, world: World) -> bool:
    new = difference.new or {}
    if new["mode"] & 0o6111 or new["capabilities"] is not None:
        return True
    try:
        with world.reader.open(difference.path) as file:
            return file.read(5).startswith(_PROGRAMS)
    except OSError:
        return True


@cache
def declarations() -> tuple[Declaration, ...]:
    """Read the declarations that come with the package."""
    import yaml

    text = files("hinomi.watch.baseline").joinpath("declared.yml").read_text("utf-8")
    return tuple(_declaration(entry) for entry in yaml.safe_load(text)["declared"])


def _declaration(entry: dict[str, Any]) -> Declaration:
    joined = "|".join(_expression(glob) for glob in entry["paths"])
    return Declaration(re.compile(joined.encode(), re.DOTALL), entry["by"], _FREE | frozenset(entry.get("also", ())))


def _expression(glob: str) -> str:
    """`*` stands for any text without a slash, `**` for any text, `?` for one character."""
    parts = re.split(r"(\*\*|\*|\?)", glob)
    return "".join({"**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part) or re.escape(part) for part in parts)
