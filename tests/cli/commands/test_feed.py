"""Feeds as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("feedparser")
FEED = """<rss version="2.0"><channel><title>Watch</title><item><title>Kawara in ports</title>
<link>https://a.example/1</link><description>Kawara talks to C2 203.0.113[.]77 and drops evil.exe on the desktop.</description>
</item></channel></rss>"""


def test_follow_fetch_list_and_stop(hinomi: Any, tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text(FEED)
    assert hinomi.with_case("feed", "add", "feed.xml", "https://h.example/feed").code == 0
    ran = hinomi.with_case("feed", "fetch", "--format", "json")
    assert ran.code == 0
    (story,) = json.loads(ran.out)
    assert (story["title"], story["claims"] > 0) == ("Kawara in ports", True)
    assert "--online" in ran.err, "the other feed was not asked, and it says why"
    again = hinomi.with_case("feed", "fetch", "feed.xml", "--lang", "ja")
    assert "既知1件" in again.err
    feeds = json.loads(hinomi.with_case("feed", "list", "--format", "json").out)
    assert [(Path(f["feed"]).name, f["stories"]) for f in feeds] == [("feed.xml", 1), ("feed", 0)]
    assert hinomi.with_case("feed", "remove", "https://h.example/feed").code == 0
    assert hinomi.with_case("feed", "remove", "https://h.example/feed").code == 2


def test_an_address_alone_needs_online(hinomi: Any) -> None:
    hinomi.with_case("feed", "add", "https://h.example/feed")
    ran = hinomi.with_case("feed", "fetch")
    assert (ran.code, "online.not-asked" in ran.err) == (2, True)


def test_a_missing_file_is_no_feed(hinomi: Any) -> None:
    assert hinomi.with_case("feed", "add", "none.xml").code == 2
