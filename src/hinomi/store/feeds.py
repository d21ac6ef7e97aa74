"""Feeds and the stories seen in them: what was read already, and what is the same story told elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, delete, func, insert, select, update

from hinomi.model.clock import Clock
from hinomi.store.schema import FEEDS, STORIES
from hinomi.store.state import sole_writer


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed: its URL or file, and what the server said last, so that only news are sent."""

    url: str
    title: str = ""
    etag: str | None = None
    modified: str | None = None
    added_at: str = ""
    fetched_at: str | None = None
    stories: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """One story of a feed. `sketch`: the smallest hashes of its shingles; `duplicate_of`: the link of its twin."""

    link: str
    feed: str
    title: str
    published: str | None = None
    sketch: tuple[int, ...] = ()
    report_id: str | None = None
    duplicate_of: str | None = None


class FeedStore:
    """Feeds and stories in the state database."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def add(self, url: str, title: str = "") -> bool:
        """Subscribe; False where it is there already."""
        with sole_writer(self._engine, FEEDS) as connection:
            if connection.execute(select(FEEDS.c.url).where(FEEDS.c.url == url)).first():
                return False
            connection.execute(insert(FEEDS).values(url=url, title=title, added_at=self._clock().isoformat()))
        return True

    def remove(self, url: str) -> bool:
        """Unsubscribe and forget its stories (the reports stay); False where there is no such feed."""
        with self._engine.begin() as connection:
            connection.execute(delete(STORIES).where(STORIES.c.feed == url))
            return connection.execute(delete(FEEDS).where(FEEDS.c.url == url)).rowcount > 0

    def feeds(self) -> list[Feed]:
        """Return every feed in the order they were added."""
        counted = select(STORIES.c.feed, func.count().label("stories")).group_by(STORIES.c.feed).subquery()
        query = (
            select(FEEDS, func.coalesce(counted.c.stories, 0).label("stories"))
            .outerjoin(counted, counted.c.feed == FEEDS.c.url)
            .order_by(FEEDS.c.added_at, FEEDS.c.url)
        )
        with self._engine.connect() as connection:
            return [Feed(**row._mapping) for row in connection.execute(query)]

    def fetched(self, url: str, *, title: str | None, etag: str | None, modified: str | None) -> None:
        """Record a look at a feed and what its server said of its state."""
        values: dict[str, Any] = {"fetched_at": self._clock().isoformat(), "etag": etag, "modified": modified}
        if title:
            values["title"] = title
        with self._engine.begin() as connection:
            connection.execute(update(FEEDS).where(FEEDS.c.url == url).values(**values))

    def known(self, links: Sequence[str]) -> set[str]:
        """Return those links that were seen before, in any feed."""
        found: set[str] = set()
        with self._engine.connect() as connection:
            for start in range(0, len(links), 500):
                query = select(STORIES.c.link).where(STORIES.c.link.in_(links[start : start + 500]))
                found |= set(connection.execute(query).scalars())
        return found

    def recent(self, limit: int = 2000) -> list[Story]:
        """Return the last stories seen, newest first."""
        with self._engine.connect() as connection:
            query = select(STORIES).order_by(STORIES.c.position.desc()).limit(limit)
            return [_story(row._mapping) for row in connection.execute(query)]

    def keep(self, story: Story) -> None:
        """Record a story as seen."""
        with sole_writer(self._engine, STORIES) as connection:
            last = connection.execute(select(func.max(STORIES.c.position))).scalar() or 0
            connection.execute(
                insert(STORIES).values(
                    link=story.link, feed=story.feed, title=story.title, published=story.published,
                    sketch=list(story.sketch), report_id=story.report_id, duplicate_of=story.duplicate_of,
                    position=last + 1, seen_at=self._clock().isoformat(),
                )
            )  # fmt: skip


def _story(row: Any) -> Story:
    return Story(
        row["link"], row["feed"], row["title"], row["published"], tuple(row["sketch"]), row["report_id"],
        row["duplicate_of"],
    )  # fmt: skip
