"""Several reports in one check are heard together: the strict version counts, and both sources are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from hinomi.flow.briefing import brief
from hinomi.flow.checking import Checked, check
from hinomi.flow.library import remove
from hinomi.store.case import Case

LAX = "Advisory: OpenSSL\n\nThe implant talks to its C2 203.0.114[.]77. Upgrade OpenSSL to 3.0.7 or later.\n"
STRICT = "勧告: OpenSSL の脆弱性\n\n検体の通信先(C2)は 203.0.114[.]77 である。OpenSSL を 3.0.9 以降へアップグレードすること。\n"
STATUS = "Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.8-1\nDescription: x\n\n"


@pytest.fixture
def checked(case: Case, tmp_path: Path) -> Checked:
    root = tmp_path / "root"
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").write_text(STATUS)
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (tmp_path / "lax.txt").write_text(LAX)
    (tmp_path / "strict.txt").write_text(STRICT)
    return check(case, [str(tmp_path / "lax.txt"), str(tmp_path / "strict.txt")], [str(root)])


def test_the_strict_version_counts_in_both_verdicts(checked: Checked) -> None:
    for verdict in checked.verdicts:
        assert verdict.affected.answer == "yes", "3.0.8 lies between the two fixed versions"
        said = " ".join(r.text.en for r in verdict.affected.reasons)
        assert "3.0.7 (lax.txt), 3.0.9 (strict.txt)" in said
        assert "counts: 3.0.9" in said


def test_what_both_say_is_surer(checked: Checked) -> None:
    lax, strict = checked.verdicts
    agreed = [r for r in lax.compromised.reasons if "strict.txt" in r.text.en]
    assert ["203.0.114.77" in r.text.en for r in agreed] == [True]
    alone = {c.value: c.confidence for c in checked.reports[0].claims}["203.0.114.77"]
    joint = int(agreed[0].text.en.rpartition("(")[2].partition(" %")[0])
    assert joint > alone
    assert any("lax.txt" in r.text.ja for r in strict.compromised.reasons)


def test_the_digest_names_both_sources(case: Case, checked: Checked) -> None:
    items = {i["title"]: i for i in brief(case, [], title="x").items}
    lax = next(i for title, i in items.items() if title.startswith("Advisory"))
    assert [v["overruled_by"] for v in lax["scope"]["versions"]] == ["3.0.9"]
    assert ["lax.txt" in text["ja"] and "strict.txt" in text["ja"] for text in lax["differing"]] == [True]


def test_the_finding_leaves_with_the_report_that_alone_supports_it(case: Case, checked: Checked) -> None:
    (finding,) = [f for f in checked.look.findings if f.rule_kind == "advisory"]
    lax, strict = checked.reports
    assert finding.reports == (strict.id,)
    assert remove(case, lax.id)[1].findings == ()
    assert remove(case, strict.id)[1].findings == (finding.id,)
