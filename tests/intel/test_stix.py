"""Bundles that STIX 2.1's own library accepts, the same for the same report."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stix2
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.read import read_report
from hinomi.intel.stix import to_bundle
from hinomi.model.claims import CLAIM_TYPES, Claim, Relation, Report

TEXT = """MoriGateバックドアの分析

公開日: 2024年3月5日

攻撃グループUNC9981は、新たなバックドア「MoriGate」を使用し、Openfireの脆弱性CVE-2023-32315を悪用して、台湾の政府機関を標的にした。
MoriGateは「mainx1」というファイルを投下し、hxxp://c2.bad-host[.]net/gate に接続する。C2は 203.0.113[.]77 である。
SHA256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
緩和策
✔️ Openfireを4.6.8以降へアップデートする。
"""


def bundle() -> dict[str, Any]:
    return to_bundle(read_report("t.txt", TEXT.encode()))


def test_it_is_valid_stix() -> None:
    stix2.parse(json.dumps(bundle()), allow_custom=False)


def test_it_holds_what_the_report_says() -> None:
    objects = bundle()["objects"]
    kinds = {(o["type"], o.get("name")) for o in objects}
    assert {("malware", "MoriGate"), ("intrusion-set", "UNC9981"), ("vulnerability", "CVE-2023-32315")} <= kinds
    assert ("location", "Taiwan") in kinds
    assert ("software", "Openfire") in kinds
    patterns = {o["pattern"] for o in objects if o["type"] == "indicator"}
    assert "[file:name = 'mainx1']" in patterns
    assert any("203.0.113.77" in p for p in patterns)
    assert any(o["type"] == "course-of-action" for o in objects)
    names = {o["id"]: o.get("name") for o in objects}
    links = {
        (names[o["source_ref"]], o["relationship_type"], names[o["target_ref"]])
        for o in objects
        if o["type"] == "relationship"
    }
    assert ("UNC9981", "uses", "MoriGate") in links


def test_every_reference_is_in_the_bundle() -> None:
    objects = bundle()["objects"]
    ids = {o["id"] for o in objects}
    assert len(ids) == len(objects)
    report = next(o for o in objects if o["type"] == "report")
    assert set(report["object_refs"]) == ids - {report["id"]}
    for link in (o for o in objects if o["type"] == "relationship"):
        assert {link["source_ref"], link["target_ref"]} <= ids


def test_same_report_same_bytes() -> None:
    assert json.dumps(bundle()) == json.dumps(bundle())


def test_times_come_from_the_report_or_the_caller() -> None:
    report = read_report("t.txt", TEXT.encode())
    assert report.published == "2024-03-05"
    made = to_bundle(report)["objects"][-1]
    assert made["published"] == "2024-03-05T00:00:00.000Z"
    assert (
        to_bundle(report, created="2025-01-02T03:04:05+09:00")["objects"][-1]["created"] == "2025-01-01T18:04:05.000Z"
    )


def test_rejected_claims_are_left_out() -> None:
    claim = Claim("c1", "ipv4", "203.0.113.9", "203.0.113.9", (0, 11), status="rejected")
    report = Report("r", "s", "t", "en", None, "203.0.113.9", (), (claim,))
    assert [o["type"] for o in to_bundle(report)["objects"]] == ["report"]


@pytest.mark.parametrize("role", ["benign", "reference", "victim", "impersonated"])
def test_what_is_not_hostile_is_no_indicator(role: Any) -> None:
    claim = Claim("c1", "domain", "shop.example", "shop.example", (0, 12), role=role)
    report = Report("r", "s", "t", "en", None, "shop.example", (), (claim,))
    assert not [o for o in to_bundle(report)["objects"] if o["type"] == "indicator"]


VALUES = st.one_of(
    st.text(min_size=1, max_size=30),
    st.sampled_from(["C:\\Users\\a'b\\x.exe", "/tmp/a b", "T1059", "CVE-2024-1", "a]b", "'", "\\", "ü", "\ud800"]),
)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(CLAIM_TYPES), VALUES, st.sampled_from(["malicious", "mentioned"]), st.integers(-5, 130)
        ),
        max_size=8,
    ),
    st.sampled_from([None, "2024-02-30", "2024-03-05", "0001-01-01", "nonsense", "2024-03-05T10:00:00+09:00"]),
)
def test_any_claims_give_valid_stix(drawn: list[tuple[Any, str, Any, int]], published: str | None) -> None:
    claims = tuple(
        Claim(f"c{n}", kind, value, value, (0, 1), role=role, confidence=sure)
        for n, (kind, value, role, sure) in enumerate(drawn)
    )
    links = tuple(Relation(a.id, "uses", b.id, (0, 1)) for a in claims for b in claims)
    report = Report("r", "s", "", "ja", published, "x", (), claims, links)
    stix2.parse(json.dumps(to_bundle(report)), allow_custom=False)
