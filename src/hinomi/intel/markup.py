"""An HTML element tree -> lines of text.

One paragraph is one line, headings carry `#`, list items `-`, table rows `|`, code keeps its lines; link targets that
the text does not show are gathered for a section of their own. Iterative, so that deep nesting costs no stack.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

_SKIP = frozenset({
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas", "select", "button", "input",
    "form", "nav", "footer", "aside", "head", "title", "graphic", "img", "picture", "video", "audio", "dialog",
})  # fmt: skip
_HEADINGS = {f"h{n}": n for n in range(1, 7)}
_BLOCKS = frozenset({
    "p", "div", "section", "article", "main", "header", "ul", "ol", "dl", "dt", "dd", "blockquote", "figure", "hr",
    "figcaption", "address", "details", "summary", "body", "html", "center", "fieldset", "caption", "table", "thead",
    "tbody", "tfoot",
})  # fmt: skip
_ITEMS = frozenset({"li"})
_ROWS = frozenset({"tr"})
_CELLS = frozenset({"td", "th"})
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
_CJK_BREAK = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef])\s*\n\s*(?=[\u3000-\u9fff\uff00-\uffef])")
_MAX_LINKS = 2000


def _is_banner(header: Any) -> bool:
    """Whether a `header` is the site's: outside any article, and without the page's heading."""
    inside = any(_tag(ancestor) in {"article", "main"} for ancestor in header.iterancestors())
    return not inside and next(header.iter("h1", "h2"), None) is None


class MarkupText:
    """Collects the text of one tree."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.links: dict[str, str] = {}
        self._buffer: list[str] = []
        self._prefix = ""
        self._code = 0
        self._cells: list[str] | None = None
        self._skip: Any = None

    def render(self, tree: Any) -> str:
        """Return the text of `tree`."""
        from lxml import etree

        for event, element in etree.iterwalk(tree, events=("start", "end", "comment", "pi")):
            if event == "start":
                self._start(element)
            elif event == "end":
                self._end(element)
            if event != "start" and self._skip is None and element.tail and element is not tree:
                self._add(element.tail)
        self._flush()
        return "\n".join(self.lines).strip("\n")

    def _start(self, element: Any) -> None:
        if self._skip is not None:
            return
        tag = _tag(element)
        if tag in _SKIP or (tag == "header" and _is_banner(element)):
            self._skip = element
            return
        if tag in _ROWS:
            self._flush()
            self._cells = []
        elif tag == "br":
            self._break()
        elif tag not in _CELLS:
            self._open(tag, element)
        if element.text:
            self._add(element.text)

    def _open(self, tag: str, element: Any) -> None:
        level = _HEADINGS.get(tag, 0)
        if level:
            self._block("#" * level + " ")
        elif tag in _ITEMS:
            self._block("- ")
        elif tag == "pre" or (tag == "code" and "\n" in (element.text or "")):
            self._block("")
            self._code += 1
        elif tag in _BLOCKS and not self._prefix.startswith("-"):
            self._block("")

    def _end(self, element: Any) -> None:
        if self._skip is not None:
            if self._skip is element:
                self._skip = None
            return
        tag = _tag(element)
        if tag in _CELLS:
            self._end_cell()
        elif tag in _ROWS:
            self._end_row()
        elif tag == "pre" or (tag == "code" and self._code and "\n" in (element.text or "")):
            self._block("")
            self._code = max(0, self._code - 1)
        elif tag in _ITEMS or _HEADINGS.get(tag, 0) or (tag in _BLOCKS and self._cells is None):
            self._flush()
        elif tag == "a":
            self._note_link(element)

    def _add(self, text: str) -> None:
        self._buffer.append(text)

    def _break(self) -> None:
        if self._cells is not None:
            self._buffer.append(" ")
        else:
            prefix = self._prefix
            self._flush(gap=False)
            self._prefix = "  " if prefix.startswith(("-", "  ")) else ""

    def _block(self, prefix: str) -> None:
        if self._cells is not None:
            self._buffer.append(" ")
            return
        self._flush()
        self._prefix = prefix

    def _flush(self, *, gap: bool = True) -> None:
        raw = "".join(self._buffer)
        self._buffer = []
        prefix, self._prefix = self._prefix, ""
        if self._cells is not None:
            self._cells.append(_squeeze(raw))
            return
        if self._code and raw.strip():
            self.lines += [line.rstrip() for line in raw.strip("\n").split("\n")]
            self.lines.append("")
            return
        text = _squeeze(raw)
        if not text:
            self._prefix = prefix if prefix.startswith("-") and not gap else ""
            return
        if prefix.startswith("#") and self.lines and self.lines[-1]:
            self.lines.append("")
        self.lines.append(prefix + text)
        if gap and not prefix.startswith(("-", "  ")):
            self.lines.append("")

    def _end_cell(self) -> None:
        if self._cells is None:
            self._flush()
            return
        self._cells.append(_squeeze("".join(self._buffer)).replace("|", "¦"))
        self._buffer = []

    def _end_row(self) -> None:
        rest = _squeeze("".join(self._buffer))
        self._buffer = []
        cells, self._cells = self._cells or [], None
        if rest:
            cells.append(rest)
        if any(cells):
            self.lines.append("| " + " | ".join(cells) + " |")

    def _note_link(self, element: Any) -> None:
        target = (element.get("href") or "").strip()
        if not target.lower().startswith(("http://", "https://", "ftp://")) or len(self.links) >= _MAX_LINKS:
            return
        label = _squeeze("".join(element.itertext()))
        if _same(target, label):
            return
        self.links.setdefault(target, label[:120])


def link_lines(links: dict[str, str], text: str) -> list[str]:
    """Return a section with the link targets that `text` does not show."""
    hidden = [(target, label) for target, label in links.items() if target not in text]
    if not hidden:
        return []
    return ["", "## Links", *(f"- {label}: {target}" if label else f"- {target}" for target, label in hidden)]


def _same(target: str, label: str) -> bool:
    plain = label.replace("[.]", ".").replace("hxxp", "http").rstrip("/").lower()
    try:
        host = urlsplit(target).netloc.lower()
    except ValueError:
        host = ""
    return bool(plain) and plain in (target.rstrip("/").lower(), host)


def _tag(element: Any) -> str:
    tag = element.tag
    if not isinstance(tag, str):
        return ""
    return tag.rsplit("}", 1)[-1].lower()


def _squeeze(text: str) -> str:
    return _SPACE.sub(" ", _CJK_BREAK.sub("", text)).strip()
