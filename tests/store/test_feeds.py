"""Feeds and stories come back as kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hinomi.store.case import Case
from hinomi.store.feeds import FeedStore, Story

OpenCase = Callable[..., Case]


def test_feeds_and_their_stories(tmp_path: Path, open_case: OpenCase) -> None:
    with open_case(tmp_path) as case:
        feeds = FeedStore(case.engine, case.clock)
        assert feeds.add("https://a.example/feed")
        assert not feeds.add("https://a.example/feed")
        feeds.fetched("https://a.example/feed", title="A", etag='"1"', modified=None)
        feeds.keep(Story("https://a.example/1", "https://a.example/feed", "一", sketch=(1, 2), report_id="r"))
        feeds.keep(Story("https://a.example/2", "https://a.example/feed", "二", duplicate_of="https://a.example/1"))
        (feed,) = feeds.feeds()
        assert (feed.title, feed.etag, feed.stories) == ("A", '"1"', 2)
        assert [s.title for s in feeds.recent()] == ["二", "一"]
        assert feeds.recent()[1].sketch == (1, 2)
        assert feeds.known(["https://a.example/1", "x"]) == {"https://a.example/1"}
        assert feeds.remove(feed.url)
        assert not feeds.remove(feed.url)
        assert feeds.recent() == []
