"""A feed's bytes -> its stories, and whether two stories are the same one told twice."""

from __future__ import annotations

import codecs
import hashlib
import html
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from xml.sax import SAXException

from hinomi.intel.encoding import decode
from hinomi.intel.format import DAMAGE
from hinomi.model.errors import ReportError, UsageError
from hinomi.store.feeds import Story
from hinomi.store.searching import folded

MAX_FEED = 8 << 20
MAX_STORIES = 500
SKETCH = 64
"""Hashes kept of a story's shingles: enough to tell 60 % alike from 40 %."""
ALIKE = 0.6
_ALIKE_SHORT = 0.8
_TROUBLE: tuple[type[Exception], ...] = (*DAMAGE, SAXException)
_MAX_LINK = 2000
_SHINGLE = 5
_LEAST = 12
_NUMBERS = re.compile(r"\d+")
_TAG = re.compile(r"<[^<>]{0,2000}>")
_TRACKING = re.compile(r"(?i)utm_\w+|fbclid|gclid|mc_[ce]id|ref_src")


@dataclass(frozen=True, slots=True)
class Entry:
    """One story as the feed gives it. `body` is markup."""

    link: str
    title: str
    body: str
    published: str | None = None

    @property
    def words(self) -> str:
        """The body without its markup."""
        return " ".join(html.unescape(_TAG.sub(" ", self.body)).split())

    def page(self) -> bytes:
        """Return the story as a page of its own."""
        day = f"<p>Published: {self.published}</p>" if self.published else ""
        title = html.escape(self.title)
        head = f'<html><head><meta charset="utf-8"><title>{title}</title></head>'
        return f"{head}<body><article><h1>{title}</h1>{day}{self.body}</article></body></html>".encode(
            "utf-8", "replace"
        )


_CHARSET = re.compile(r"charset=[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_DECLARED = re.compile(r"<\?xml[^>]{0,100}encoding=[\"']([\w.:-]{1,40})")
_OPENING = re.compile(r"\A\ufeff?\s{0,100}<\?xml[^>]{0,200}\?>")
_FAMILIES = frozenset({"utf-8", "utf-16", "ascii", "shift_jis", "cp932", "euc_jp", "iso2022_jp"})
"""Encodings that reports are decoded from."""


def entries(data: bytes, source: str, media_type: str = "") -> tuple[str, list[Entry]]:
    """Return a feed's title and its stories in the feed's order. Raises ReportError for what is no feed.

    `media_type` is the Content-Type that the feed came with: its charset counts before the feed's own word.
    """
    parsed = _parsed(_plain(data, source, media_type), source)
    found = [entry for item in parsed.entries[:MAX_STORIES] if (entry := _entry(item)) is not None]
    if not found and not parsed.get("version"):
        raise ReportError("feed.no-feed", place=source, cause="neither RSS nor Atom")
    return _line(parsed.feed.get("title", "")), found


def _plain(data: bytes, source: str, media_type: str) -> bytes:
    """Return a feed as UTF-8, decoded as reports are: Japanese feeds hold vendor characters and say a wrong charset.

    What is written in other alphabets is left to the library.
    """
    said = _CHARSET.search(media_type) or _DECLARED.search(data[:200].decode("latin-1"))
    declared = said[1] if said else ""
    try:
        family = codecs.lookup(declared).name if declared else "utf-8"
    except LookupError:
        family = "utf-8"
    if family not in _FAMILIES:
        return data
    text = decode(data, source, declared=declared)[0]
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + _OPENING.sub("", text, count=1).encode("utf-8", "replace")


def _parsed(data: bytes, source: str) -> Any:
    try:
        import feedparser  # type: ignore[import-untyped]
    except ImportError as error:
        raise UsageError(
            "feed.not-installed", place=source, cause=str(error), next_step="pip install 'hinomi[online]'"
        ) from error
    if len(data) > MAX_FEED:
        raise ReportError("feed.too-large", place=source, cause=f"more than {MAX_FEED >> 20} MiB")
    try:
        return feedparser.parse(io.BytesIO(data), response_headers={"content-location": source})
    except _TROUBLE as error:
        raise ReportError("feed.no-feed", place=source, cause=str(error)[:200] or type(error).__name__) from error


def _entry(item: Any) -> Entry | None:
    title, link = _line(item.get("title", "")), _text(item.get("link", "")) or _text(item.get("id", ""))
    bodies = [_text(part.get("value", "")) for part in item.get("content", ())] + [_text(item.get("summary", ""))]
    body = max(bodies, key=len)
    if not link.strip() and not title:
        return None
    moment = dict.get(item, "published_parsed") or dict.get(item, "updated_parsed")
    day = f"{moment[0]:04}-{moment[1]:02}-{moment[2]:02}" if moment else None
    return Entry(_bounded(plain_link(link) or f"title:{title}"), title or link, body, day)


def _text(value: Any) -> str:
    return value.encode("utf-8", "replace").decode().replace("\0", "") if isinstance(value, str) else ""


def _line(value: Any) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", _text(value))).split())[:500]


def plain_link(link: str) -> str:
    """Return a link without fragment and tracking, so that one story has one link."""
    try:
        parts = urlsplit(link.strip())
    except ValueError:
        return link.strip()
    query = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(k)]
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), parts.path, urlencode(query), ""))


def _bounded(link: str) -> str:
    """A link is a key: one longer than a database takes as such keeps its beginning and a hash of the whole."""
    if len(link.encode("utf-8", "replace")) <= _MAX_LINK:
        return link
    return f"{link[: _MAX_LINK // 8]}#{hashlib.sha256(link.encode('utf-8', 'replace')).hexdigest()}"


def sketch(entry: Entry) -> tuple[int, ...]:
    """Return the smallest hashes of the story's shingles (five letters each); empty where it is too short to tell."""
    text = "".join(c for c in folded(f"{entry.title} {entry.words[:4000]}") if c.isalnum())
    shingles = {text[n : n + _SHINGLE] for n in range(len(text) - _SHINGLE + 1)}
    if len(shingles) < _LEAST:
        return ()
    return tuple(sorted(_hash(s) for s in shingles)[:SKETCH])


def _hash(shingle: str) -> int:
    return int.from_bytes(hashlib.blake2b(shingle.encode("utf-8", "replace"), digest_size=6).digest(), "big")


def alike(one: Sequence[int], other: Sequence[int]) -> float:
    """Estimate the share of shingles that two stories have in common (Jaccard), from their sketches."""
    if not one or not other:
        return 0.0
    least = sorted({*one, *other})[:SKETCH]
    return len({*one} & {*other} & {*least}) / len(least)


def twin(mine: Story, known: Iterable[Story]) -> str | None:
    """Return the link of the story most like this one, where one is alike enough to be the same told again."""
    scored = [(alike(mine.sketch, other.sketch), other) for other in known]
    same = [(score, other.link) for score, other in scored if score >= _needed(mine, other) and _may_be(mine, other)]
    return max(same)[1] if same else None


def _needed(mine: Story, other: Story) -> float:
    """Few words are alike by their wording alone: two advisories of one maker."""
    return ALIKE if min(len(mine.sketch), len(other.sketch)) >= SKETCH else _ALIKE_SHORT


def _may_be(mine: Story, other: Story) -> bool:
    """Whether two titles can be of one story: monthly and numbered ones differ in numbers, a feed's own in any word."""
    ours, theirs = ({*_NUMBERS.findall(folded(story.title))} for story in (mine, other))
    if mine.feed == other.feed:
        return folded(mine.title) == folded(other.title)
    return ours <= theirs or theirs <= ours
