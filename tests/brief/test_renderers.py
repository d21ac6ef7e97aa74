"""Every format takes the same document; nothing from outside becomes markup, a formula or an escape sequence."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
import stix2

from hinomi.brief.digest import Item, articles_of, compose
from hinomi.brief.document import DigestDocument, ScanDocument, VerdictDocument, render
from hinomi.brief.judge import Look, judge
from hinomi.model.claims import Claim, Report, Section
from hinomi.model.findings import Coverage, EvidenceRef, Finding
from hinomi.model.text import Bilingual

HOSTILE = "/tmp/<script>alert(1)</script>\x1b[31m\u202egnp.exe\n|**x**|`=cmd`"
BOTH = Bilingual("Twin of {x}", "双子")
FINDING = Finding(
    id="0123456789abcdef",
    rule_id="twins",
    rule_kind="sql",
    title=BOTH,
    explanation=Bilingual(f"explains {HOSTILE}", f"説明 {HOSTILE}"),
    severity="high",
    confidence=70,
    target="=HYPERLINK(1)",
    subject_type="script",
    subject_key=HOSTILE,
    evidence=(EvidenceRef("scripts", 3, HOSTILE),),
    behaviours=("mutual-watchdog",),
    attack=("T1543",),
    threats=("Kawara",),
    first_seen="2026-11-22T12:00:00+00:00",
    last_seen="2026-11-22T12:00:00+00:00",
)
MADE = "2026-11-22T12:00:00+00:00"


def coverage() -> Coverage:
    result = Coverage()
    result.count("files", 1234)
    result.miss("files", HOSTILE, "permission")
    return result


SCAN = ScanDocument(("=HYPERLINK(1)",), (FINDING,), (), coverage(), MADE, "0")
REPORT = Report(
    id="R", source=HOSTILE, title=f"題 {HOSTILE}", language="ja", published=None, text="見出し\n影響範囲\n全て",
    sections=(Section("影響範囲", "scope", (4, 11)),),
    claims=(Claim("c1", "behaviour", "mutual-watchdog", "見出し", (0, 3)),),
)  # fmt: skip
VERDICT = judge(REPORT, (), Look(("/mnt",), (FINDING,), (), coverage(), {}))
VERDICTS = VerdictDocument((VERDICT,), MADE, "0")
DIGEST = DigestDocument("週報", MADE, "0", compose([Item(REPORT, VERDICT), Item(REPORT, None)]))
FORMATS = ("json", "jsonl", "csv", "sarif", "ocsf", "stix", "md", "html")
PAIRS = [
    *((SCAN, f) for f in FORMATS),
    *((d, f) for d in (VERDICTS, DIGEST) for f in ("json", "jsonl", "md", "html")),
]


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize(("document", "kind"), PAIRS, ids=lambda v: v if isinstance(v, str) else type(v).__name__)
def test_no_raw_control_characters(document, kind, language) -> None:
    text = render(document, kind, language)
    if kind not in ("json", "jsonl", "sarif", "ocsf", "stix"):
        assert "\x1b" not in text and "\u202e" not in text
    else:
        assert "\x1b" not in text  # JSON escapes it
    assert render(document, kind, language) == text


@pytest.mark.parametrize("document", [SCAN, VERDICTS, DIGEST], ids=lambda d: type(d).__name__)
def test_html_holds_no_markup_from_outside(document) -> None:
    page = render(document, "html", "ja")
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)


def test_markdown_holds_no_markup_from_outside() -> None:
    page = render(SCAN, "md", "en")
    assert "\\<script\\>" in page
    assert "**x**" not in page


def test_csv_cells_are_no_formulas() -> None:
    rows = list(csv.reader(io.StringIO(render(SCAN, "csv", "en").removeprefix("\ufeff"))))
    assert rows[1][rows[0].index("target")] == "'=HYPERLINK(1)"
    assert len(rows) == 2


def test_sarif_and_ocsf_have_what_their_standards_require() -> None:
    log = json.loads(render(SCAN, "sarif", "en"))
    result = log["runs"][0]["results"][0]
    assert (log["version"], result["level"], result["ruleId"]) == ("2.1.0", "error", "twins")
    assert log["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    event = json.loads(render(SCAN, "ocsf", "en"))
    assert (event["class_uid"], event["type_uid"], event["severity_id"]) == (2004, 200401, 4)
    assert event["finding_info"]["uid"] == FINDING.id


def test_stix_is_valid() -> None:
    bundle = stix2.parse(render(SCAN, "stix", "en"))
    assert {o["type"] for o in bundle.objects} == {"file", "observed-data", "note"}


def test_jsonl_ends_with_the_coverage() -> None:
    lines = [json.loads(line) for line in render(SCAN, "jsonl", "en").splitlines()]
    assert [line["schema"] for line in lines] == ["hinomi.finding/1", "hinomi.coverage/1"]


def test_the_digest_leaves_the_view_to_the_analyst() -> None:
    page = render(DIGEST, "md", "ja")
    for heading in ("影響範囲", "見解", "緩和のための戦略", "情報源", "自組織の状況"):
        assert f"### {heading}" in page
    assert "アナリスト自身の見解をここに記入" in page
    assert "まだスキャンしていません" in page


def test_articles_are_split_by_their_sections() -> None:
    text = "A\nbody a\nB\nbody b"
    whole = Report(
        "R", "s", "t", "en", None, text,
        (Section("A", "article", (0, 9)), Section("B", "article", (9, 17))),
        (Claim("1", "malware", "a", "a", (7, 8)), Claim("2", "malware", "b", "b", (16, 17))),
    )  # fmt: skip
    assert [(a.title, [c.id for c in a.claims]) for a in articles_of(whole)] == [("A", ["1"]), ("B", ["2"])]
