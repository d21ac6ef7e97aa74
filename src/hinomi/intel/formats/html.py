"""HTML: a saved page or its source. The article is found with trafilatura; its tables, lists and code are kept."""

from __future__ import annotations

import logging
import re
from collections import Counter
from typing import Any

from hinomi.intel.encoding import decode
from hinomi.intel.format import DAMAGE, damaged, document
from hinomi.intel.markup import MarkupText, link_lines
from hinomi.intel.sections import find_date
from hinomi.model.claims import Document

_ARTICLE_LIMIT = 1 << 20
"""Characters up to which boilerplate is removed; a larger page is taken whole."""
_ENOUGH = 0.25
_TAG = re.compile(r"<[^<>]{0,4000}>")
_PIECES = ("p", "li", "td", "pre", "blockquote", "h1", "h2", "h3", "h4")
_START = re.compile(
    rb"^\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html)\b", re.I | re.S
)
_TAGS = re.compile(rb"<(p|div|br|head|body|meta|title|table|ul|li|h[1-6]|span|a)\b[^<>]{0,400}>", re.I)
_CHARSET = re.compile(
    rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w.:-]{1,40})|<\?xml[^>]{0,100}encoding=[\"']([\w.-]{1,40})", re.I
)
_PROLOG = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_META_TITLE = ("og:title", "twitter:title")
_META_DATE = (
    "article:published_time",
    "datepublished",
    "date",
    "dc.date",
    "dcterms.date",
    "publish_date",
    "pubdate",
    "dc.date.issued",
)
_JSON_DATE = re.compile(r'"datePublished"\s*:\s*"(\d{4}-\d\d-\d\d)')


class _Html:
    name = "html"
    media_types = ("text/html", "application/xhtml+xml")

    def sniff(self, data: bytes) -> int:
        head = (
            data[:8192]
            .replace(b"\0", b"")
            .removeprefix(b"\xff\xfe")
            .removeprefix(b"\xfe\xff")
            .removeprefix(b"\xef\xbb\xbf")
        )
        if _START.search(head):
            return 90
        kinds = {tag.lower() for tag in _TAGS.findall(head)}
        return 60 if len(kinds) >= 3 else 0

    def extract(self, data: bytes, source: str) -> Document:
        match = _CHARSET.search(data[:4096])
        declared = next((g.decode("ascii", "replace") for g in match.groups() if g), None) if match else None
        text, encoding, notes = decode(data, source, declared=declared)
        try:
            tree = _parse(text)
            title, published = _title(tree), _published(tree, text)
            body, extra = _body_text(tree, text)
        except DAMAGE as error:
            raise damaged(source, "HTML", error) from error
        return document(
            data, source, body, media_type="text/html", encoding=encoding, title=title, published=published,
            notes=(*notes, *extra),
        )  # fmt: skip


def _parse(text: str) -> Any:
    from lxml import html

    parser = html.HTMLParser(no_network=True, huge_tree=False, remove_comments=True, remove_pis=True, recover=True)
    return html.document_fromstring(_PROLOG.sub("", text, count=1), parser=parser)


def _body_text(tree: Any, text: str) -> tuple[str, tuple[str, ...]]:
    """Return the article's text, or the whole page's where no article stands out, and notes."""
    whole = MarkupText()
    body = tree.find("body")
    full = whole.render(tree if body is None else body)
    if not full.strip():  # nested beyond what the parser takes
        return _TAG.sub(" ", text), ("the markup is broken: only its bare text was read",)
    if len(text) > _ARTICLE_LIMIT:
        return _with_links(full, whole), ("the page is large: its boilerplate was not removed",)
    if _crowded(tree):
        return _with_links(full, whole), ("a paragraph is endless: the page's boilerplate was not removed",)
    main = _main_element(tree, _article_text(text))
    article = MarkupText()
    kept = article.render(main) if main is not None else ""
    if len(kept) < 200 or len(kept) < len(full) * _ENOUGH:
        return _with_links(full, whole), ()
    return _with_links(kept, article), ()


_INLINE = (
    "a", "b", "code", "del", "em", "font", "i", "kbd", "s", "samp", "span", "strike", "strong", "sub", "sup", "tt", "u",
    "var",
)  # fmt: skip
_MAX_INLINE = 2000


def _crowded(tree: Any) -> bool:
    """Whether one block holds so many inline elements that trafilatura, quadratic in them, would never end."""
    counts: Counter[Any] = Counter()
    for element in tree.iter(*_INLINE):
        block = element.getparent()
        while block is not None and block.tag in _INLINE:
            block = block.getparent()
        counts[block] += 1
    return max(counts.values(), default=0) > _MAX_INLINE


def _with_links(text: str, markup: MarkupText) -> str:
    return "\n".join([text, *link_lines(markup.links, text)])


def _article_text(text: str) -> str:
    """The words of the article alone, as trafilatura sees them; empty when it finds none."""
    import trafilatura

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    found = trafilatura.extract(
        _PROLOG.sub("", text, count=1), include_comments=False, include_tables=True, favor_recall=True
    )
    return found or ""


def _main_element(tree: Any, article: str) -> Any:
    """The deepest element that holds nearly all of the article.

    Taking the element, not trafilatura's own text, keeps headings, tables and code as the page has them.
    """
    words = _letters(article)
    weight: dict[Any, int] = {}
    total = 0
    for element in tree.iter(*_PIECES):
        piece = _letters("".join(element.itertext()))
        if len(piece) < 20 or piece not in words:
            continue
        total += len(piece)
        weight[element] = weight.get(element, 0) + len(piece)
        for ancestor in element.iterancestors():
            weight[ancestor] = weight.get(ancestor, 0) + len(piece)
    best = None
    for element in tree.iter():  # document order: a deeper element comes after the one around it
        if total and weight.get(element, 0) >= total * 0.95:
            best = element
    return best


def _letters(text: str) -> str:
    return re.sub(r"[\s|¦]+", "", text)


def _title(tree: Any) -> str | None:
    for element in tree.iter("meta"):
        if (element.get("property") or element.get("name") or "").lower() in _META_TITLE and element.get("content"):
            return _line(element.get("content"))
    headings = [_line("".join(e.itertext())) for e in tree.iter("h1")]
    if len([h for h in headings if h]) == 1:
        return next(h for h in headings if h)
    for element in tree.iter("title"):
        if words := _line("".join(element.itertext())):
            return words
    return None


def _line(text: str) -> str:
    return " ".join(text.split())[:300]


def _published(tree: Any, text: str) -> str | None:
    for element in tree.iter("meta"):
        name = (element.get("property") or element.get("name") or element.get("itemprop") or "").lower()
        if name in _META_DATE and (found := find_date(element.get("content") or "")):
            return found[0]
    if match := _JSON_DATE.search(text):
        return match.group(1)
    for element in tree.iter("time"):
        if found := find_date(element.get("datetime") or ""):
            return found[0]
    return None


FORMAT = _Html()
