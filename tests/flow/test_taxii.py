"""A small TAXII 2.1 server, asked over HTTP as any client would."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hinomi.flow.taxii import MEDIA_TYPE, pull
from hinomi.model.errors import ReportError, UsageError
from hinomi.store.case import Case

OBJECTS = [
    {"type": "report", "id": "report--a", "name": "First", "object_refs": ["indicator--a"], "added": "2026-01-01"},
    {"type": "indicator", "id": "indicator--a", "indicator_types": ["malicious-activity"], "pattern_type": "stix",
     "pattern": "[ipv4-addr:value = '203.0.113.5']", "added": "2026-01-01"},
    {"type": "indicator", "id": "indicator--b", "pattern_type": "stix", "added": "2026-02-01",
     "pattern": "[domain-name:value = 'loose.example']"},
]  # fmt: skip


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def taxii(server: Any) -> str:
    """Serve discovery, one API root, two collections (one not readable), pages of one object."""

    def answer(body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        return 200, {"Content-Type": MEDIA_TYPE}, json.dumps(body).encode()

    def objects(path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if headers.get("accept") != MEDIA_TYPE:
            return 406, {}, b""
        query = parse_qs(urlsplit(path).query)
        since = query.get("added_after", [""])[0]
        wanted = [o for o in OBJECTS if str(o["added"]) > since]
        start = int(query.get("next", ["0"])[0])
        more = start + 1 < len(wanted)
        body: dict[str, Any] = {"more": more, "objects": wanted[start : start + 1]}
        return answer(body | ({"next": str(start + 1)} if more else {}))

    collections = [{"id": "c-1", "title": "One", "can_read": True}, {"id": "c-2", "title": "Two", "can_read": False}]
    server.pages["/taxii2/"] = answer({"title": "t", "api_roots": [server.url + "/api/", "http://elsewhere.invalid/"]})
    server.pages["/api/"] = answer({"title": "root", "versions": [MEDIA_TYPE]})
    server.pages["/api/collections/"] = answer({"collections": collections})
    server.pages["/api/collections/c-1/"] = answer(collections[0])
    server.pages["/api/collections/c-1/objects/"] = objects
    return str(server.url)


@pytest.mark.parametrize("path", ["/taxii2/", "/api/", "/api/collections/c-1/"])
def test_from_discovery_a_root_or_a_collection(taxii: str, case: Case, path: str) -> None:
    reports = pull(case, taxii + path, collection=None, since=None, online=True).reports
    assert [{(c.type, c.value) for c in r.claims} for r in reports] == [
        {("ipv4", "203.0.113.5")},
        {("domain", "loose.example")},
    ]
    assert reports[0].title == "First"
    assert reports[0].source == taxii + "/api/collections/c-1/"
    again = pull(case, taxii + path, collection="c-1", since=None, online=True).reports
    assert [r.id for r in again] == [r.id for r in reports], "the same objects are the same reports"
    assert len(case.library.reports()) == 2


def test_only_what_is_newer(taxii: str, case: Case) -> None:
    (report,) = pull(case, taxii + "/api/", collection=None, since="2026-01-15", online=True).reports
    assert {c.value for c in report.claims} == {"loose.example"}


def test_nothing_connects_unasked(taxii: str, case: Case, server: Any) -> None:
    with pytest.raises(UsageError, match=r"online\.not-asked"):
        pull(case, taxii + "/api/", collection=None, since=None, online=False)
    assert server.asked == []


def test_what_is_no_server_is_said_to_be_none(server: Any, case: Case) -> None:
    page = server.page("/page", "<html>hello</html>")
    with pytest.raises(ReportError, match=r"taxii\.no-server"):
        pull(case, page, collection=None, since=None, online=True)


def test_an_unreadable_collection_is_not_asked_for(taxii: str, case: Case) -> None:
    with pytest.raises(ReportError, match=r"taxii\.no-collection"):
        pull(case, taxii + "/api/", collection="c-2", since=None, online=True)


def test_a_collection_that_ends_is_read_to_its_end(taxii: str, case: Case) -> None:
    assert pull(case, taxii + "/api/", collection=None, since=None, online=True).left_out == []


def test_what_lies_beyond_the_bounds_is_said(taxii: str, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hinomi.flow.taxii.MAX_PAGES", 2)
    (left,) = pull(case, taxii + "/api/", collection=None, since=None, online=True).left_out
    assert (left.collection, left.objects, left.why) == (taxii + "/api/collections/c-1/", 2, "pages")
    monkeypatch.setattr("hinomi.flow.taxii.MAX_OBJECTS", 1)
    (left,) = pull(case, taxii + "/api/", collection=None, since=None, online=True).left_out
    assert (left.objects, left.why) == (1, "objects")


def test_a_page_that_fails_costs_what_follows_it(taxii: str, case: Case, server: Any) -> None:
    whole = server.pages["/api/collections/c-1/objects/"]

    def failing(path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        return (503, {}, b"") if "next=2" in path else whole(path, headers)

    server.pages["/api/collections/c-1/objects/"] = failing
    pulled = pull(case, taxii + "/api/", collection=None, since=None, online=True)
    assert {c.value for r in pulled.reports for c in r.claims} == {"203.0.113.5"}
    (left,) = pulled.left_out
    assert (left.objects, left.why) == (2, "failed") and "503" in left.cause
