"""A claim in its sentence."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.brief.reading import sentence_of
from hinomi.intel.read import read_report

TEXT = "First one. The dropper writes kasumi.dll to disk. Then it sleeps.\n「霞.exe」を実行する。次の文。"


def test_the_sentence_holds_the_claim_at_its_place() -> None:
    report = read_report("r", TEXT.encode())
    for claim in report.claims:
        sentence, start, end = sentence_of(report, claim)
        assert sentence[start:end] == claim.text
    claim = next(c for c in report.claims if c.value == "kasumi.dll")
    assert sentence_of(report, claim)[0] == "The dropper writes kasumi.dll to disk."


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.text(max_size=200))
def test_any_text_shows_its_claims(text: str) -> None:
    report = read_report("r", ("a.exe 10.2.3.4 " + text).encode("utf-8", "replace"))
    for claim in report.claims:
        sentence, start, end = sentence_of(report, claim)
        assert sentence[start:end] == report.text[slice(*claim.span)]
