"""Feeds are read incrementally, and a story told by two feeds is read once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.flow import feeds
from hinomi.flow.online import Fetched
from hinomi.flow.stories import Entry, alike, entries, plain_link, sketch, twin
from hinomi.model.errors import HinomiError, ReportError, UsageError
from hinomi.store.case import Case
from hinomi.store.feeds import Story

pytest.importorskip("feedparser")
BODY = (
    "The group behind Kawara now targets routers in ports. Its loader talks to 203.0.113[.]77 and drops a module that "
    "waits for a knock before it opens a shell. Administrators should update the firmware and look for the module."
)
OTHER = "A quite different story: a flaw in a mail gateway, CVE-2026-33333, lets anybody read attachments without a password."


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def rss(*items: tuple[str, str, str]) -> str:
    made = "".join(
        f"<item><title>{t}</title><link>{u}</link><description>{d}</description><pubDate>Tue, 03 Feb 2026 09:00:00 GMT</pubDate></item>"
        for t, u, d in items
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Watch</title>{made}</channel></rss>'


def test_a_file_is_followed_offline_and_read_incrementally(case: Case, tmp_path: Path) -> None:
    file = tmp_path / "feed.xml"
    file.write_text(rss(("Kawara in ports", "https://a.example/1?utm_source=x", BODY)))
    assert feeds.add(case, [str(file)]) == [str(file)]
    assert feeds.add(case, [str(file)]) == []
    (look,) = feeds.fetch_feeds(case)
    (report,) = look.new
    assert (report.source, report.published) == ("https://a.example/1", "2026-02-03")
    assert ("ipv4", "203.0.113.77") in {(c.type, c.value) for c in report.claims}
    file.write_text(
        rss(("Mail gateway", "https://a.example/2", OTHER), ("Kawara in ports", "https://a.example/1", BODY))
    )
    (look,) = feeds.fetch_feeds(case)
    assert ([r.source for r in look.new], look.known) == (["https://a.example/2"], 1)


def test_the_same_story_elsewhere_is_read_once(case: Case, tmp_path: Path) -> None:
    one, two = tmp_path / "one.xml", tmp_path / "two.xml"
    one.write_text(rss(("Kawara in ports", "https://a.example/1", BODY)))
    two.write_text(
        rss(("Kawara in Ports!", "https://b.example/x", BODY + " Read more."), ("Mail", "https://b.example/y", OTHER))
    )
    feeds.add(case, [str(one), str(two)])
    first, second = feeds.fetch_feeds(case)
    assert len(first.new) == 1
    assert second.duplicates == [("https://b.example/x", "https://a.example/1")]
    assert [r.source for r in second.new] == ["https://b.example/y"]


def test_a_server_is_asked_only_for_news(case: Case, server: Any) -> None:
    def answer(_: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if headers.get("if-none-match") == '"v1"':
            return 304, {"ETag": '"v1"'}, b""
        link = server.url + "/story"
        return 200, {"Content-Type": "application/rss+xml", "ETag": '"v1"'}, rss(("Kawara", link, "short")).encode()

    server.pages["/feed"] = answer
    server.page(
        "/story", f"<html><head><title>Kawara</title></head><body><article><p>{BODY}</p></article></body></html>"
    )
    feeds.add(case, [server.url + "/feed"])
    with pytest.raises(UsageError, match=r"online\.not-asked"):
        feeds.fetch_feeds(case)
    assert server.asked == [], "without --online nothing connects"
    (look,) = feeds.fetch_feeds(case, online=True)
    assert [r.source for r in look.new] == [server.url + "/story"]
    assert ("ipv4", "203.0.113.77") in {(c.type, c.value) for c in look.new[0].claims}, "its page was read"
    (look,) = feeds.fetch_feeds(case, online=True)
    assert (look.new, look.skipped) == ([], "")
    assert [path for path, _ in server.asked] == ["/feed", "/story", "/feed"]


def test_a_story_whose_page_is_gone_is_read_from_the_feed(case: Case, server: Any) -> None:
    server.page("/feed", rss(("Kawara", server.url + "/gone", BODY)), "application/rss+xml")
    feeds.add(case, [server.url + "/feed"])
    (look,) = feeds.fetch_feeds(case, online=True)
    assert len(look.new) == 1
    assert "404" in look.failed[0]


def test_a_broken_feed_does_not_stop_the_others(case: Case, tmp_path: Path) -> None:
    (tmp_path / "bad.xml").write_text("no feed at all")
    (tmp_path / "good.xml").write_text(rss(("Mail", "https://b.example/y", OTHER)))
    feeds.add(case, [str(tmp_path / "bad.xml"), str(tmp_path / "good.xml")])
    bad, good = feeds.fetch_feeds(case)
    assert bad.skipped.startswith("feed.no-feed")
    assert len(good.new) == 1
    feeds.remove(case, str(tmp_path / "bad.xml"))
    with pytest.raises(UsageError, match=r"feed\.no-such-feed"):
        feeds.remove(case, str(tmp_path / "bad.xml"))


def test_atom_and_japanese() -> None:
    atom = """<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>見張り</title>
    <entry><title>瓦の観測</title><link href="https://J.example/a?id=1&amp;utm_medium=rss#top"/><id>1</id>
    <updated>2026-02-03T00:00:00Z</updated><content type="html">&lt;p&gt;C2は 203.0.113[.]9 である。&lt;/p&gt;</content></entry></feed>"""
    title, (entry,) = entries(atom.encode(), "f")
    assert (title, entry.title, entry.link) == ("見張り", "瓦の観測", "https://j.example/a?id=1")
    assert entry.words == "C2は 203.0.113[.]9 である。"


def told(feed: str, title: str, body: str = "") -> Story:
    return Story(f"{feed}/{title}", feed, title, sketch=sketch(Entry("", title, body)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2024年4月製品更新プログラムに関する注意喚起（公開）", "2024年5月製品更新プログラムに関する注意喚起（公開）"),
        ("Kawara Reader の脆弱性（KW24-07）に関する注意喚起", "Kawara Reader の脆弱性（KW24-29）に関する注意喚起"),
        ("複数の Kawara 製品における複数の脆弱性について", "複数の Tsuru 製品における複数の脆弱性について"),
        ("Kawara IOS Web UI Privilege Escalation Vulnerability", "Kawara IOS Web UI Command Injection Vulnerability"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "body", ["", "製品の脆弱性が公開されました。開発者が提供する情報をもとに最新版へアップデートしてください。"]
)
def test_advisories_of_one_wording_are_stories_of_their_own(one: str, other: str, body: str) -> None:
    assert twin(told("feed", one, body), [told("feed", other, body)]) is None


def test_numbered_stories_differ_across_feeds_too() -> None:
    assert (
        twin(told("a", "Weekly report of roofs, 12 April", BODY), [told("b", "Weekly report of roofs, 19 April", BODY)])
        is None
    )


def test_likeness() -> None:
    mine = told("one", "Kawara in ports", BODY)
    assert alike(mine.sketch, mine.sketch) == 1.0
    assert twin(mine, [told("two", "Kawara seen in ports", BODY)]) == "two/Kawara seen in ports"
    assert twin(mine, [told("two", "Mail", OTHER), Story("z", "two", "z")]) is None
    assert sketch(Entry("4", "short", "")) == ()


def test_entities_are_not_expanded_without_end() -> None:
    bomb = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(8)
    )
    data = f'<?xml version="1.0"?>{bomb}]><rss version="2.0"><channel><title>&i;</title><item><title>t &i;</title><link>http://a.example/</link></item></channel></rss>'
    try:
        _, found = entries(data.encode(), "f")
    except ReportError:
        return
    assert sum(len(e.title) + len(e.body) for e in found) < 100_000


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 500), st.binary(max_size=20), st.integers(0, 40))
def test_any_bytes_give_stories_or_our_error(at: int, noise: bytes, cut: int) -> None:
    data = rss(("Kawara", "https://a.example/1", BODY)).encode()
    try:
        _, found = entries(data[:at] + noise + data[at + cut :], "f")
    except HinomiError:
        return
    for entry in found:
        sketch(entry)
        entry.page().decode()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(max_size=40))
def test_any_link_has_a_plain_form(link: str) -> None:
    assert isinstance(plain_link("http://" + link), str)
    plain_link(link)


RDF = (
    '<?xml version="1.0" encoding="{}"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    ' xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>注意喚起①</title>'
    "</channel><item><title>瓦の解析</title><link>https://a.example/1</link><description>港湾のルータ</description>"
    "<dc:date>2024-05-01T10:00:00+09:00</dc:date></item></rdf:RDF>"
)


@pytest.mark.parametrize(
    ("declared", "written", "media_type"),
    [
        ("Shift_JIS", "cp932", ""), ("UTF-8", "cp932", "text/xml; charset=Shift_JIS"), ("x-unknown", "cp932", ""),
        ("utf-8", "utf-8", "text/xml; charset=UTF-8"), ("UTF-16", "utf-16", ""),
    ],
)  # fmt: skip
def test_japanese_feeds_in_every_encoding(declared: str, written: str, media_type: str) -> None:
    title, (story,) = entries(RDF.format(declared).encode(written), "https://a.example/feed", media_type)
    assert (title, story.title, story.published) == ("注意喚起①", "瓦の解析", "2024-05-01")


@pytest.mark.parametrize(("declared", "written"), [("EUC-JP", "euc_jp"), ("ISO-2022-JP", "iso2022_jp")])
def test_japanese_feeds_of_the_nineties(declared: str, written: str) -> None:
    data = RDF.replace("①", "").format(declared).encode(written)
    assert entries(data, "f")[0] == "注意喚起"


def test_other_alphabets_are_left_to_the_library() -> None:
    data = RDF.replace("注意喚起①", "Угроза").replace("瓦の解析", "x").replace("港湾のルータ", "y").format("koi8-r")
    assert entries(data.encode("koi8-r"), "f")[0] == "Угроза"


def test_relative_links_lead_to_the_site() -> None:
    atom = b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>t</title><link href="/p/1"/></entry></feed>'
    assert [e.link for e in entries(atom, "https://a.example/feeds/all")[1]] == ["https://a.example/p/1"]


def test_an_empty_answer_is_no_unchanged_feed(case: Case) -> None:
    feeds.add(case, ["https://a.example/feed"])
    (look,) = feeds.fetch_feeds(case, online=True, fetcher=lambda url, **_: Fetched(url, b""))
    assert "feed.no-feed" in look.skipped


def test_a_story_that_could_not_be_read_is_tried_again(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: Any) -> Any:
        raise ReportError("report-damaged", place="x", cause="for once")

    file = tmp_path / "feed.xml"
    file.write_text(rss(("Kawara", "https://a.example/1", BODY)))
    feeds.add(case, [str(file)])
    with monkeypatch.context() as patch:
        patch.setattr(feeds, "kept", unreadable)
        (look,) = feeds.fetch_feeds(case)
    assert (look.new, look.failed, look.left) == ([], ["https://a.example/1: for once"], 1)
    (look,) = feeds.fetch_feeds(case)
    assert ([r.source for r in look.new], look.left) == (["https://a.example/1"], 0)


def test_a_page_without_a_date_has_that_of_its_feed(case: Case) -> None:
    page = b"<html><body><h1>Kawara</h1><p>" + BODY.encode() + b"</p></body></html>"
    answers = {
        "https://a.example/feed": rss(("Kawara", "https://a.example/1", "")).encode(),
        "https://a.example/1": page,
    }
    feeds.add(case, ["https://a.example/feed"])
    (look,) = feeds.fetch_feeds(case, online=True, fetcher=lambda url, **_: Fetched(url, answers[url], "text/html"))
    assert [(r.source, r.published) for r in look.new] == [("https://a.example/1", "2026-02-03")]
