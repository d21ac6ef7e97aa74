"""Which system a tree is, and what it calls itself; told by its layout, whatever its name."""

from __future__ import annotations

import re
from typing import Literal

from hinomi.evidence.view import FileSystemView

Platform = Literal["linux", "windows", "macos", "unknown"]
MAX_HOSTNAME = 256
_NOT_LABEL = re.compile(r"[^0-9A-Za-z._-]+")


def platform_of(view: FileSystemView) -> Platform:
    """Return windows for `Windows/System32` (any case), macos for `System/Library/CoreServices`, else linux."""
    windows = _child(view, b"/", b"windows")
    if windows is not None and _child(view, windows, b"system32") is not None:
        return "windows"
    if view.listdir(b"/System/Library/CoreServices"):
        return "macos"
    return "linux"


def host_label(view: FileSystemView, fallback: str) -> str:
    """Return the first line of /etc/hostname inside the target, or `fallback`, as a safe partition label."""
    try:
        lines = view.read(b"/etc/hostname", MAX_HOSTNAME).decode("utf-8", "replace").split()
    except OSError:
        lines = []
    return safe_label(lines[0] if lines else fallback)


def safe_label(text: str) -> str:
    """Return `text` as a folder name: letters, digits, `.`, `_`, `-`; never empty, never beginning with a dot."""
    return _NOT_LABEL.sub("_", text)[:64].lstrip(".") or "unnamed"


def _child(view: FileSystemView, folder: bytes, lower: bytes) -> bytes | None:
    """Return the path of the sub-folder with that name in any case."""
    for name in view.listdir(folder):
        if name.lower() == lower:
            path = folder.rstrip(b"/") + b"/" + name
            if view.listdir(path):
                return path
    return None
