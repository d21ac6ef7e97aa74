"""Reading as a whole: any bytes, spans, stable ids, bounds, the order of claims."""

import gzip
import sys
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.extractor import Candidate
from hinomi.intel.read import MAX_INPUT, claim_id, extract_document, merge, read_report
from hinomi.intel.sections import context_of
from hinomi.model.claims import Document
from hinomi.model.errors import HinomiError, ReportError

REPORT = (
    "# Kaze returns\n\nThe loader calls hxxps://cdn.kaze-sync[.]net/a and kaze-sync[.]net.\n"
    "\n## 対策\n\n通信先kaze-sync[.]netを遮断する。\n"
)


def test_the_same_bytes_give_the_same_report():
    assert read_report("a.txt", REPORT.encode()) == read_report("a.txt", REPORT.encode())


def test_one_claim_per_value_with_all_its_places():
    report = read_report("a.txt", REPORT.encode())
    claim = next(c for c in report.claims if c.type == "domain")
    places = [tuple(claim.span), *map(tuple, claim.attributes["spans"])]
    assert len(places) == 2
    assert all("kaze-sync" in report.text[start:end] for start, end in places)
    assert claim.id == claim_id("domain", "kaze-sync.net")


def test_the_id_of_a_claim_does_not_depend_on_the_report():
    other = read_report("b.txt", b"Elsewhere: kaze-sync[.]net was seen")
    assert claim_id("domain", "kaze-sync.net") in {c.id for c in other.claims}


def test_merging_prefers_the_surest_and_keeps_distinct_apart():
    context = context_of(Document("a", "x 1.2 and y 1.2", None, "", "", ""))
    low = Candidate("fixed-version", "1.2", (2, 5), confidence=40, distinct="x", attributes={"product": "x"})
    high = Candidate("fixed-version", "1.2", (2, 5), confidence=80, why="said so", distinct="x")
    other = Candidate("fixed-version", "1.2", (12, 15), distinct="y")
    outside = Candidate("fixed-version", "9", (90, 95))
    first, second = merge(context, [low, high, other, outside])
    assert (first.confidence, first.why, first.attributes, first.text) == (80, "said so", {"product": "x"}, "1.2")
    assert (second.span, second.id != first.id) == ((12, 15), True)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "report-empty"),
        (b"  \n", "report-empty"),
        (b"\x7fELF" + bytes(500), "report-binary"),
        (gzip.compress(b"text" * 9000, mtime=0), "report-binary"),
        (b"%PDF-1.7 nothing", "report-damaged"),
    ],
)
def test_what_cannot_be_read_says_why_and_what_next(data, code):
    with pytest.raises(ReportError) as caught:
        read_report("given", data)
    assert (caught.value.code, caught.value.place) == (code, "given")
    assert caught.value.cause
    assert caught.value.next_step


def test_too_much_input_is_refused_at_once():
    class Huge(bytes):
        def __len__(self):
            return MAX_INPUT + 1

    with pytest.raises(ReportError) as caught:
        extract_document("given", Huge(b"text"))
    assert caught.value.code == "report-too-large"


def test_the_media_type_is_a_hint_only():
    document = extract_document("given", b"# plain text about a backdoor", media_type="application/pdf")
    assert document.media_type == "text/plain"


HOSTILE = {
    "dots": "a.", "brackets": "[.]", "open brackets": "[(「{", "hex": "deadbeef ", "one word": "a", "numbers": "1.",
    "versions": "1.2.x, ", "series": "3 系", "hosts": "http://a.b/", "schemes": "hxxp://", "Japanese": "攻撃者は実行する",
    "quotes": "「", "backticks": "`a`", "cells": "| a | b |\n", "rows": "a,b\n", "headings": "■a\n", "steps": "- update\n",
    "mails": "a@b.co ", "paths": "C:\\a ", "mutexes": "mutex ", "numbers of CVEs": "CVE-2031-1234,-", "names": "APT ",
    "class words": "malware called ", "quoted mail": "> > ", "deep HTML": "<div>", "deep JSON": "[", "sentences": "x. ",
    "zero-width": "\u200b", "full-width": "ａ．", "entities": "&#x2e;", "copies": "a copy of it, ", "blank lines": "\n",
}  # fmt: skip


def work(data: bytes) -> int:
    """How many calls, Python's and the interpreter's, reading takes: the same on a busy machine."""
    count = 0

    def called(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(called)
    try:
        with suppress(HinomiError):
            read_report("hostile", data)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_runs_take_work_linear_to_their_size(unit):
    read_report("warm", b"A backdoor called Xyzzy was found in SMA100 10.2.1.7.")
    small, large = (work((unit * (size // len(unit.encode()))).encode()) for size in (8_000, 32_000))
    assert large < max(small, 4_000) * 4.8


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_report_or_our_error(data):
    try:
        report = read_report("given", data)
    except HinomiError:
        return
    assert report.sha256


PIECES = [
    "hxxp://",
    "kaze",
    "[.]",
    ".com",
    "198.51.100.7",
    "\u200b",
    "ｅｘｅ",
    "。",
    "「",
    "」",
    "C:\\",
    "¥",
    "CVE-2031-1234",
    ", -99999",
    "\n",
    "-\n",
    "3b1f0e9d8c7b6a594837261504f3e2d1",
    " dot ",
    "@",
    "攻撃者が",
    "mutex ",
    "/tmp/x",
    "%2F%2F",
    "&#46;",
    "İ",
    "ß",
    "(",
    ")",
    "User-Agent: ",
    "HKLM\\",
    " ",
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=25))
def test_spans_hold_whatever_stands_together(pieces):
    try:
        report = read_report("given", "".join(pieces).encode())
    except ReportError:
        return
    assert [c.span for c in report.claims] == sorted(c.span for c in report.claims)
    for claim in report.claims:
        start, end = claim.span
        assert start < end
        assert report.text[start:end] == claim.text
        assert claim.value.strip()
        for further in claim.attributes.get("spans", ()):
            assert 0 <= further[0] < further[1] <= len(report.text)


WIDE = {
    "text/markdown": "# 題名\n\n- [a](https://kaze.example/x)\n\n```\ncode\n```\n| 種別 | 値 |\n|---|---|\n| ip | 203.0.113.9 |\n",
    "text/asciidoc": "= 題名\n:toc:\n\n== IoC\n|===\n| domain | a[.]example\n|===\n",
    "text/html": "<html><head><title>題名</title></head><body><article><h1>題名</h1><p>a[.]example</p></article></body></html>",
}


@pytest.mark.parametrize("media_type", WIDE)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_a_format_is_told_in_wide_encodings_too(media_type: str, encoding: str) -> None:
    report = read_report("x", WIDE[media_type].encode(encoding))
    assert (report.media_type, report.title) == (media_type, "題名")


def test_a_structured_document_is_told_in_utf_16() -> None:
    bundle = '{"type": "bundle", "id": "bundle--1", "objects": [{"type": "report", "name": "瓦", "object_refs": []}]}'
    report = read_report("x", bundle.encode("utf-16"))
    assert (report.media_type, report.title) == ("application/stix+json", "瓦")
