"""Many literal phrases as one regular expression that branches by character: one pass, whatever their number."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_END = ""


def trie_pattern(phrases: Iterable[str]) -> str:
    """Return a regular expression that matches any of `phrases`, the longest first."""
    root: dict[str, Any] = {}
    for phrase in phrases:
        node = root
        for character in phrase:
            node = node.setdefault(character, {})
        node[_END] = {}
    return _source(root)


def _source(node: dict[str, Any]) -> str:
    branches = [re.escape(c) + _source(child) for c, child in sorted(node.items()) if c != _END]
    if not branches:
        return ""
    optional = "?" if _END in node else ""
    return f"(?:{'|'.join(branches)}){optional}"
