"""Markdown: headings, lists, tables and code as they stand; links, emphasis, comments and HTML made plain text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from hinomi.intel.encoding import decode
from hinomi.intel.format import document
from hinomi.model.claims import Document

_HEAD = 16384
_MAX_FRONT = 100
"""Lines of front matter."""
_HEADING = re.compile(r"^#{1,6} +\S")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_RULE_ROW = re.compile(r"^\s*\|?(?:\s*:?-{2,}:?\s*\|)+\s*(?::?-{2,}:?\s*)?$")
_LINKED = re.compile(r"\[[^\[\]\n]{1,200}\]\((?:https?|hxxps?)://")
_FIELD = re.compile(r"^(title|date|published|pubDate|publishDate)\s*:\s*(.{1,300})$")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_IMAGE = re.compile(r"!\[([^\[\]\n]{0,200})\]\([^()\s]{1,600}(?: +\"[^\"\n]{0,200}\")?\)")
# a defanged dot in brackets is part of an address, so a target may hold brackets, and a label may not be one
_LINK = re.compile(r"\[((?:[^\[\]\n]|\[(?:[.:]|dot)\]){1,300})\]\(<?([^()\s<>]{1,600})>?(?: +\"[^\"\n]{0,200}\")?\)")
_AUTOLINK = re.compile(r"<((?:https?|hxxps?|ftp|mailto):[^\s<>]{1,600})>")
_STRONG = re.compile(r"(\*\*|__)(?=\S)([^*\n]{1,300}?\S)\1")
_EMPHASIS = re.compile(r"(?<![\w*\\])\*(?=[^\s*])([^*\n]{1,200}?)(?<![\s*])\*(?![\w*])")
_ESCAPE = re.compile(r"(?<!\\)\\([_*#|\[\]`~<>])")
_WINDOWS = re.compile(r"[A-Za-z]:\\|%\w{1,40}%\\|HK(?:LM|CU|EY_)|\\\\")
_ANCHOR = re.compile(
    r"<a\s[^<>]{0,200}?href=[\"']?([^\s\"'<>]{1,600})[\"']?[^<>]{0,200}>([^<>]{0,300})</a>", re.IGNORECASE
)
_CELL_END = re.compile(r"\s*</t[dh]>\s*(?=<t[dh])", re.IGNORECASE)
_ROW = re.compile(r"<tr\b[^<>]{0,200}>\s*|\s*</tr>", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|/p|/li|/div|/h[1-6])\s*/?>", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:a|b|i|u|em|strong|code|pre|p|div|span|table|thead|tbody|tr|td|th|ul|ol|li|br|hr|kbd|sub|sup|small|mark|del"
    r"|details|summary|blockquote|center|font|figure|figcaption|h[1-6]|img)(?:\s[^<>]{0,600})?/?>",
    re.IGNORECASE,
)


class _Markdown:
    name = "markdown"
    media_types = ("text/markdown", "text/x-markdown")

    def sniff(self, data: bytes) -> int:
        lines = data[:_HEAD].decode("ascii", "replace").splitlines()
        headings = sum(1 for line in lines if line[:1] == "#" and _HEADING.match(line))
        # every fence, row of dashes and link holds one of these
        marked = (line for line in lines if "](" in line or "--" in line or "```" in line or "~~~" in line)
        others = sum(1 for line in marked if _FENCE.match(line) or _RULE_ROW.match(line) or _LINKED.search(line))
        front = lines[:1] == ["---"] and any(_FIELD.match(line) for line in lines[:_MAX_FRONT])
        return 30 if headings + others + front >= 2 and (others or front or headings >= 2) else 0

    def extract(self, data: bytes, source: str) -> Document:
        text, encoding, notes = decode(data, source)
        facts, lines = _front_matter(_without_comments(text).splitlines())
        date = _DAY.search(" ".join(v for k, v in facts.items() if k != "title"))
        heading = next((line.lstrip("# ").strip() for line in lines if line.startswith("# ")), None)
        return document(
            data, source, "\n".join(_plain(lines)), media_type="text/markdown", encoding=encoding,
            title=facts.get("title") or heading, published=date[0] if date else None, notes=notes,
        )  # fmt: skip


def _without_comments(text: str) -> str:
    parts, start = [], 0
    while (opened := text.find("<!--", start)) >= 0 and (closed := text.find("-->", opened)) >= 0:
        parts.append(text[start:opened])
        start = closed + 3
    return "".join((*parts, text[start:]))


def _front_matter(lines: Sequence[str]) -> tuple[dict[str, str], Sequence[str]]:
    """Return the fields that stand above the text between two lines of dashes, and the lines of the text."""
    if not lines or lines[0].strip() != "---":
        return {}, lines
    end = next((n for n, line in enumerate(lines[1:_MAX_FRONT], 1) if line.strip() in ("---", "...")), None)
    found = [match for line in lines[1:end] if (match := _FIELD.match(line))]
    if end is None or not found:
        return {}, lines
    return {match[1]: match[2].strip().strip("\"'") for match in found}, lines[end + 1 :]


def _plain(lines: Sequence[str]) -> Iterator[str]:
    fence = ""
    for line in lines:
        mark = _FENCE.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
            yield ""
        elif fence:
            yield line
        elif not _RULE_ROW.match(line):
            yield _line(line)


def _line(line: str) -> str:
    """Return a line of prose; what stands between backticks is kept as it is."""
    parts = line.split("`")
    if len(parts) % 2 == 0 or "](" in line or "<a" in line:
        return _words(line)
    return "`".join(part if number % 2 else _words(part) for number, part in enumerate(parts))


def _words(words: str) -> str:
    if "](" in words:
        words = _LINK.sub(_linked, _IMAGE.sub(r"\1", words))
    if "*" in words or "__" in words:
        words = _EMPHASIS.sub(r"\1", _STRONG.sub(r"\2", words))
    if "<" in words:
        words = _without_tags(words)
    if "\\" in words and not _WINDOWS.search(words):
        words = _ESCAPE.sub(r"\1", words)
    return html.unescape(words) if "&" in words and ";" in words else words


def _without_tags(words: str) -> str:
    words = _ANCHOR.sub(lambda found: f"{found[2]} ({found[1]})", _AUTOLINK.sub(r"\1", words))
    return _TAG.sub("", _BREAK.sub("\n", _ROW.sub(_row_edge, _CELL_END.sub(" | ", words)))).rstrip("\n")


def _row_edge(found: re.Match[str]) -> str:
    return " |\n" if "/" in found[0] else "| "


def _linked(found: re.Match[str]) -> str:
    label, target = found[1], found[2]
    shown = "://" not in target or target.rstrip("/") in label or label.rstrip("/") in target.partition("://")[2]
    return label if target.startswith("#") or (shown and label in target) else f"{label} ({target})"


FORMAT = _Markdown()
