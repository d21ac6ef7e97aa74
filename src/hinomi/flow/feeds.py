"""Follow RSS and Atom feeds: each new story becomes a report, once, whoever tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hinomi.flow.online import Fetch, Fetched, fetch, is_url, require_online
from hinomi.flow.reading import kept, load
from hinomi.flow.stories import Entry, entries, sketch, twin
from hinomi.model.claims import Report
from hinomi.model.errors import HinomiError, ReportError, UsageError
from hinomi.store.case import Case
from hinomi.store.feeds import Feed, FeedStore, Story

MAX_NEW = 100
"""Stories read from one feed at one time; the next look reads on."""
WHOLE_STORY = 1500
"""Characters from which a feed's own text is taken for the whole story."""
_NOT_MODIFIED = 304
_ACCEPT = "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.5"


@dataclass(slots=True)
class FeedLook:
    """What one look at a feed gave. `skipped` says why it was not looked at."""

    feed: str
    new: list[Report] = field(default_factory=list)
    known: int = 0
    duplicates: list[tuple[str, str]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    left: int = 0
    skipped: str = ""


def store_of(case: Case) -> FeedStore:
    """Return the case's feeds."""
    return FeedStore(case.engine, case.clock)


def add(case: Case, sources: Sequence[str]) -> list[str]:
    """Subscribe to addresses or files; returns those that are new. Raises ReportError for a missing file."""
    added = []
    for source in sources:
        name = source if is_url(source) else str(Path(source).absolute())
        if not is_url(source):
            load(source)
        if store_of(case).add(name):
            case.journal.append("feed-added", feed=name)
            added.append(name)
    return added


def remove(case: Case, source: str) -> None:
    """Unsubscribe; what was read stays. Raises `UsageError` where there is no such feed."""
    name = source if is_url(source) else str(Path(source).absolute())
    if not store_of(case).remove(name):
        raise UsageError("feed.no-such-feed", place=source, cause="not followed")
    case.journal.append("feed-removed", feed=name)


def fetch_feeds(
    case: Case, wanted: Sequence[str] = (), *, online: bool = False, fetcher: Fetch = fetch
) -> list[FeedLook]:
    """Look at every feed (or those named) and read the new stories into the library.

    Without `online` nothing connects: feeds at an address are skipped, and it is an error when all are.
    """
    names = [w if is_url(w) else str(Path(w).absolute()) for w in wanted]
    feeds = [f for f in store_of(case).feeds() if not names or f.url in names]
    if unknown := set(names) - {f.url for f in feeds}:
        raise UsageError("feed.no-such-feed", place=sorted(unknown)[0], cause="not followed")
    if feeds and all(is_url(f.url) for f in feeds):
        require_online(feeds[0].url, online)
    return [_look(case, feed, online, fetcher) for feed in feeds]


def _look(case: Case, feed: Feed, online: bool, fetcher: Fetch) -> FeedLook:
    look = FeedLook(feed.url)
    if is_url(feed.url) and not online:
        look.skipped = "offline"
        return look
    try:
        page = _page_of(feed, fetcher)
        same = page.status == _NOT_MODIFIED
        title, found = (feed.title, []) if same else entries(page.data, feed.url, page.media_type or "")
    except ReportError as error:
        look.skipped = f"{error.code}: {error.cause}"
        return look
    _read_new(case, feed, found, look, fetcher if online else None)
    # a feed that was not read to its end is asked for again as a whole
    state = (page.etag, page.modified) if not look.left else (None, None)
    store_of(case).fetched(feed.url, title=title, etag=state[0], modified=state[1])
    case.journal.append("feed-fetched", feed=feed.url, new=[r.id for r in look.new], duplicates=len(look.duplicates))
    return look


def _page_of(feed: Feed, fetcher: Fetch) -> Fetched:
    """Return the feed as it is now; one that did not change keeps what it was known by."""
    if not is_url(feed.url):
        return Fetched(feed.url, load(feed.url), None)
    page = fetcher(feed.url, accept=_ACCEPT, etag=feed.etag, modified=feed.modified)
    return replace(page, etag=feed.etag, modified=feed.modified) if page.status == _NOT_MODIFIED else page


def _read_new(case: Case, feed: Feed, found: Sequence[Entry], look: FeedLook, fetcher: Fetch | None) -> None:
    store = store_of(case)
    unique = {entry.link: entry for entry in reversed(found)}
    seen = store.known(list(unique))
    look.known = len(seen)
    fresh = [entry for link, entry in unique.items() if link not in seen]
    look.left = max(0, len(fresh) - MAX_NEW)
    told = list(store.recent())
    for entry in fresh[:MAX_NEW]:
        story = Story(entry.link, feed.url, entry.title, entry.published, sketch(entry))
        if double := twin(story, told):
            look.duplicates.append((entry.link, double))
            store.keep(_as(story, duplicate_of=double))
            continue
        told.append(story)
        report = _read(case, entry, look, fetcher)
        if report is None:
            look.left += 1  # not lost: the next look tries it again
        else:
            store.keep(_as(story, report_id=report.id))


def _as(story: Story, *, report_id: str | None = None, duplicate_of: str | None = None) -> Story:
    return Story(story.link, story.feed, story.title, story.published, story.sketch, report_id, duplicate_of)


def _read(case: Case, entry: Entry, look: FeedLook, fetcher: Fetch | None) -> Report | None:
    """Read a story: its page where the feed only announces it and we may connect, else what the feed says."""
    try:
        page = fetcher(entry.link) if fetcher and is_url(entry.link) and len(entry.words) < WHOLE_STORY else None
        if page is not None:
            look.new.append(kept(case, page.url, page.data, page.media_type, entry.published))
            return look.new[-1]
    except HinomiError as error:
        look.failed.append(f"{entry.link}: {error.cause}")
    try:
        look.new.append(kept(case, entry.link, entry.page(), "text/html"))
    except HinomiError as error:
        look.failed.append(f"{entry.link}: {error.cause}")
        return None
    return look.new[-1]
