"""Commands named by a bare Unix path, which PowerShell on Linux takes and the grammar does not: `/bin/bash -i`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.syntax import parse

if TYPE_CHECKING:
    from tree_sitter import Node

# Strings and comments are matched first, to their end or the end of the text, and stay as they are.
_HEAD = re.compile(
    rb"@'[\s\S]*?(?:'@|\Z)|@\"[\s\S]*?(?:\"@|\Z)|'[^']*(?:'|\Z)|\"(?:[^\"`]|`[\s\S])*(?:\"|\Z|`\Z)"
    rb"|<#[\s\S]*?(?:#>|\Z)|#[^\n]*"
    rb"|(?P<before>^|[|;{(&=])[ \t]{0,40}(?:&[ \t]{0,40})?(?P<path>(?:/[\w.+-]{1,100}){2,20})(?=[\s;|)}]|\Z)",
    re.MULTILINE,
)


def readable(root: Node) -> Node:
    """Return the tree with such paths quoted where the text did not parse; lines stay the same."""
    text = root.text
    if not root.has_error or not text:
        return root
    quoted = _HEAD.sub(_quoted, text)
    return parse("powershell", quoted).root_node if quoted != text else root


def _quoted(match: re.Match[bytes]) -> bytes:
    if match["path"] is None:
        return match[0]
    before: bytes = match["before"]
    return (before + b" " if before not in (b"", b"&") else b"") + b"& '" + match["path"] + b"'"
