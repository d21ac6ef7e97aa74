"""Drafts: merging, wording, stable ids."""

from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.detect.draft import Draft, fill, finding_id, finish, merged, placeholders, value_text
from hinomi.model.text import Bilingual

WORDS = Bilingual("{subject} says {what}", "{subject}は{what}と言う")


def draft(subject: str = "/a", **changes) -> Draft:
    values = {
        "rule_id": "r", "kind": "sql", "title": Bilingual("t", "題"), "explanation": WORDS, "severity": "low",
        "confidence": 10, "subject_type": "file", "subject": subject,
    }  # fmt: skip
    return Draft(**(values | changes))


def test_one_finding_per_rule_and_subject() -> None:
    first = draft(
        evidence=(("files", 2),), related=("/x",), attributes={"claims": ["a"], "state": "s"}, values={"what": "1"}
    )
    second = draft(
        severity="high", confidence=50, evidence=(("files", 1),), related=("/y",), reports=("r1",),
        attributes={"claims": ["b"]}, values={"what": "2"},
    )  # fmt: skip
    (one,) = finish([first, second], {("files", 1): "line"}, target="t", run="r", seen="2026-01-01T00:00:00+00:00")
    assert (one.severity, one.confidence, one.related, one.reports) == ("high", 50, ("/x", "/y"), ("r1",))
    assert [(e.table, e.row, e.shows) for e in one.evidence] == [("files", 1, "line"), ("files", 2, "")]
    assert one.attributes == {"claims": ["a", "b"], "state": "s"}
    assert one.explanation == Bilingual("/a says 1", "/aは1と言う")
    assert one.first_seen == one.last_seen == "2026-01-01T00:00:00+00:00"
    assert len(merged([first, second, draft("/b"), draft(rule_id="q")])) == 3


def test_findings_come_gravest_first_and_the_same_whatever_the_order() -> None:
    drafts = [draft(s, severity=v) for s, v in (("/b", "low"), ("/a", "low"), ("/c", "critical"))]
    one = finish(drafts, {}, target="t", run="r", seen=None)
    assert [f.subject_key for f in one] == ["/c", "/a", "/b"]
    assert finish(drafts[::-1], {}, target="t", run="r", seen=None) == one


def test_the_subject_is_not_related_to_itself() -> None:
    (one,) = finish([draft(related=("/a", "", "/b"))], {}, target="t", run="r", seen=None)
    assert one.related == ("/b",)


def test_ids_depend_on_rule_target_and_subject_alone() -> None:
    assert finding_id("r", "t", "/a") == finding_id("r", "t", "/a")
    assert len({finding_id(*p) for p in (("r", "t", "/a"), ("r", "t", "/b"), ("r", "u", "/a"), ("q", "t", "/a"))}) == 4
    assert len(finding_id("r", "t", "/\udcff")) == 16


def test_values_in_sentences() -> None:
    assert value_text(None) == "?"
    assert value_text(3.0) == "3"
    assert value_text(["a", None, "b"]) == "a, b"
    assert value_text([]) == "-"
    assert value_text(list("abcdefg")) == "a, b, c, d, e, …"
    assert value_text("\x1b[31m\u202e") == "\\x1b[31m\\u202e"
    assert len(value_text("x" * 5000)) == 200


def test_unknown_placeholders_are_shown_as_unknown_and_values_are_not_templates() -> None:
    assert fill(WORDS, {"subject": "{what}{0}{subject.__class__}"}).en == "{what}{0}{subject.__class__} says ?"
    assert placeholders(Bilingual("{a} {B} {c-d} {a}", "{e1}")) == {"a", "e1"}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.text(max_size=60),
    st.one_of(st.none(), st.text(max_size=300), st.binary(max_size=50), st.lists(st.text(max_size=30))),
)
def test_filling_never_fails_and_lets_no_control_character_through(template: str, value: object) -> None:
    filled = fill(Bilingual("{what}", template), {"what": value})
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in filled.en)
    assert len(filled.en) <= 200
