"""ATT&CK's names, and what became of those it gave up."""

from __future__ import annotations

import pytest

from hinomi.intel.read import read_report
from hinomi.intel.vocabulary.techniques import named_techniques, technique_names, techniques, today


def test_every_sub_technique_is_named_with_its_parent_and_every_successor_is_known() -> None:
    table = techniques()
    for number, technique in table.items():
        assert technique.name and technique.name == technique.name.strip(), number
        if "." in number:
            assert table[number[:5]].name in technique.name or not technique.platforms, number
        assert not technique.successor or technique.successor in table, number


@pytest.mark.parametrize(
    ("old", "new"), [("T1086", "T1059.001"), ("T1193", "T1566.001"), ("T1574.002", "T1574.002"), ("T9", "T9")]
)
def test_the_old_numbering_is_read_as_todays(old: str, new: str) -> None:
    assert today(old) == new


def test_a_merged_sub_technique_keeps_its_name_and_says_where_it_went() -> None:
    merged = techniques()["T1574.002"]
    assert (merged.name, merged.successor) == ("Hijack Execution Flow: DLL Side-Loading", "T1574.001")


def test_names_mean_the_enterprise_technique_of_today() -> None:
    names = named_techniques()
    assert names["Process Hollowing"] == "T1055.012", "not the revoked T1093"
    assert names["Network Denial of Service"] == "T1498", "not its mobile namesake"
    assert names["DLL Search Order Hijacking"] == "T1574.001", "what the revoked T1038 became"
    assert "PowerShell" not in names, "single words are plain language"


def test_a_number_in_a_report_is_shown_with_its_name() -> None:
    claims = read_report("r", "攻撃者は T1086 と T1574.002 を用いた。".encode()).claims
    found = {c.value: c for c in claims if c.type == "attack-technique"}
    assert found["T1059.001"].canonical == technique_names()["T1059.001"] and "T1086" in found["T1059.001"].why
    assert found["T1574.002"].canonical == "Hijack Execution Flow: DLL Side-Loading"
