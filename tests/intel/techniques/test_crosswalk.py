"""ATT&CK ids over its versions."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest

from hinomi.intel.read import read_report
from hinomi.intel.techniques.crosswalk import crosswalk, version_of
from hinomi.intel.vocabulary.techniques import technique_names


@pytest.mark.parametrize(("old", "new"), [("T1562.001", "T1685"), ("T1070.001", "T1685.005"), ("T1059", "T1059")])
def test_ids_go_both_ways(old: str, new: str) -> None:
    assert (crosswalk(old), crosswalk(new, to="18"), crosswalk(old, to="18")) == (new, old, old)


def test_versions_are_told_by_the_id() -> None:
    assert [
        version_of(i) for i in ("T1685.009", "t1685.001", "TA0112", "TA0005", "T1562.001")
    ] == "19 19 19 18 18".split()


def test_every_row_names_a_technique_of_v18_once_and_its_source() -> None:
    text = (files("hinomi.intel.techniques") / "crosswalk.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    assert all(
        row["v18"] in technique_names() and row["v19"] not in technique_names() and row["source"] for row in rows
    )
    assert len({row["v18"] for row in rows}) == len({row["v19"] for row in rows}) == len(rows)


def test_a_report_in_v19_is_read_as_v18_and_says_so() -> None:
    report = read_report("r", b"The implant stops the agent (T1685) and clears logs (T1685.005), then T1057.")
    found = {c.value: c for c in report.claims if c.type == "attack-technique"}
    claim = found["T1562.001"]
    assert (claim.text, claim.attributes["attack_version"]) == ("T1685", "19")
    assert "T1685 of ATT&CK v19 is T1562.001" in claim.why
    assert found["T1070.001"].attributes["attack_version"] == "19"
    assert found["T1057"].attributes["attack_version"] == "18"
