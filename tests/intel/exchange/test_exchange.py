"""What is written can be read again: nothing lost in STIX, and other tools' formats in their own shape."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import stix2
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from hinomi.intel.exchange.csvlist import COLUMNS, list_of
from hinomi.intel.exchange.misp import event_of
from hinomi.intel.exchange.navigator import layer_of
from hinomi.intel.exchange.stix import bundle_of, bundles_in
from hinomi.intel.read import claim_id, read_report
from hinomi.model.claims import CLAIM_TYPES, Claim, Report

ONE = read_report(
    "https://vendor.example/one",
    """MoriGateバックドアの分析
公開日: 2024年3月5日
攻撃グループUNC9981は、新たなバックドア「MoriGate」を使用し、Openfireの脆弱性CVE-2023-32315を悪用して、台湾の政府機関を標的にした。
MoriGateは「mainx1」というファイルを投下し、hxxp://c2.bad-host[.]net/gate に接続する。C2は 203.0.113[.]77 である。
緩和策
✔️ Openfireを4.6.8以降へアップデートする。
""".encode(),
)
TWO = read_report(
    "two.txt", b"MoriGate (T1059.004) beacons to c2 203.0.113[.]77 and 198.51.100[.]4. It opens a reverse shell."
)


def key(claim: Claim) -> tuple[Any, ...]:
    return claim.id, claim.type, claim.value, claim.role, claim.canonical, claim.confidence


def test_the_bundle_is_valid_by_the_official_validator() -> None:
    validator = pytest.importorskip("stix2validator")
    bundle = bundle_of([ONE, TWO])
    result = validator.validate_instance(bundle, validator.ValidationOptions(version="2.1"))
    assert result.is_valid, [str(e) for e in result.errors]
    stix2.parse(json.dumps(bundle), allow_custom=False)


def test_the_same_reports_give_the_same_bytes() -> None:
    assert json.dumps(bundle_of([ONE, TWO])) == json.dumps(bundle_of([TWO, ONE]))
    assert json.dumps(event_of([ONE, TWO])) == json.dumps(event_of([TWO, ONE]))


def test_stix_comes_back_with_the_same_claims_and_relations() -> None:
    bundle = json.loads(json.dumps(bundle_of([ONE, TWO])))
    back = {r.title: r for r in (read_report("b", json.dumps(b).encode()) for b in bundles_in(bundle["objects"]))}
    for report in (ONE, TWO):
        again = back[report.title]
        assert {key(c) for c in again.claims} == {key(c) for c in report.claims}
        assert {(r.from_id, r.type, r.to_id) for r in again.relations} == {
            (r.from_id, r.type, r.to_id) for r in report.relations
        }
    assert len(back) == 2


def test_others_read_the_standard_objects_without_our_extension() -> None:
    bundle = bundle_of([ONE, TWO])
    for item in bundle["objects"]:
        item.pop("extensions", None)
    back = {(c.type, c.value) for c in read_report("b", json.dumps(bundle).encode()).claims}
    assert back >= {
        ("ipv4", "203.0.113.77"), ("ipv4", "198.51.100.4"), ("url", "http://c2.bad-host.net/gate"),
        ("filename", "mainx1"), ("malware", "MoriGate"), ("cve", "CVE-2023-32315"), ("attack-technique", "T1059.004"),
    }  # fmt: skip


def test_rejected_claims_stay_at_home() -> None:
    from dataclasses import replace

    claims = tuple(replace(c, status="rejected") if c.value == "203.0.113.77" else c for c in TWO.claims)
    report = replace(TWO, claims=claims)
    for written in (bundle_of([report]), event_of([report])):
        assert "203.0.113.77" not in json.dumps(written)


def test_a_report_without_a_date_comes_back_without_one() -> None:
    (bundle,) = bundles_in(json.loads(json.dumps(bundle_of([TWO])))["objects"])
    for data in (bundle, event_of([TWO])):
        assert read_report("t.json", json.dumps(data).encode()).published is None
    assert read_report("o.json", json.dumps(event_of([ONE])).encode()).published == ONE.published == "2024-03-05"


def test_misp_reads_its_own_event() -> None:
    event = event_of([ONE, TWO])["Event"]
    assert {"uuid", "info", "date", "Attribute", "Orgc", "threat_level_id", "analysis"} <= event.keys()
    assert len({a["uuid"] for a in event["Attribute"]}) == len(event["Attribute"])
    back = read_report("e.json", json.dumps({"Event": event}).encode())
    assert {key(c)[:3] for c in back.claims} == {key(c)[:3] for r in (ONE, TWO) for c in r.claims}
    active = {a["value"] for a in event["Attribute"] if a["to_ids"]}
    assert "203.0.113.77" in active
    assert "MoriGate" not in active


def test_misp_carries_versions_behaviours_techniques_and_relations() -> None:
    event = event_of([ONE])
    back = read_report("e.json", json.dumps(event).encode())
    assert {key(c) for c in back.claims} == {key(c) for c in ONE.claims}
    assert {(r.from_id, r.type, r.to_id, r.confidence) for r in back.relations} == {
        (r.from_id, r.type, r.to_id, r.confidence) for r in ONE.relations
    }
    version = next(c for c in back.claims if c.type == "fixed-version")
    assert version.attributes["product"] == "Openfire"
    tags = {t["name"] for t in event_of([TWO])["Event"]["Tag"]}
    assert any(t.startswith("hinomi:behaviour=") for t in tags)
    assert any("T1059.004" in t for t in tags)
    assert any("Openfire" in a["value"] and "4.6.8" in a["value"] for a in event["Event"]["Attribute"])


def test_a_misp_event_with_a_damaged_object_is_read_by_its_attributes() -> None:
    event = event_of([TWO])
    event["Event"]["Object"][0]["Attribute"][0]["value"] = '{"claims": ['
    back = {c.value for c in read_report("e.json", json.dumps(event).encode()).claims}
    assert {"203.0.113.77", "198.51.100.4"} <= back


def test_the_list_reads_back_and_runs_nothing_in_a_spreadsheet() -> None:
    evil = Claim("c", "mutex", "=HYPERLINK(1)", "=HYPERLINK(1)", (0, 1), "malicious")
    text = list_of([Report("r", "s", "t", "en", None, "x", (), (*TWO.claims, evil))])
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert tuple(rows[0]) == COLUMNS
    assert rows[-1]["value"] == "'=HYPERLINK(1)"
    back = read_report("l.csv", text.encode())
    assert {(c.type, c.value, c.role) for c in back.claims} == {
        (c.type, c.value, c.role) for c in (*TWO.claims, evil)
    }  # fmt: skip


def test_the_layer_scores_techniques_by_all_reports() -> None:
    layer = layer_of([ONE, TWO], name="two reports")
    assert (layer["versions"]["layer"], layer["domain"]) == ("4.5", "enterprise-attack")
    shell = next(t for t in layer["techniques"] if t["techniqueID"] == "T1059.004")
    assert 0 < shell["score"] <= 100
    assert "T1059.004" in shell["comment"]
    ids = [t["techniqueID"] for t in layer["techniques"]]
    assert ids == sorted(set(ids))


LAYER = Draft202012Validator(json.loads((Path(__file__).parent / "navigator_layer_4_5.json").read_text()))


def test_a_layer_is_one_by_the_navigators_own_description() -> None:
    layer = layer_of([ONE, TWO], name="two reports")
    LAYER.validate(layer)
    assert layer["gradient"]["maxValue"] > layer["gradient"]["minValue"]


@pytest.mark.parametrize(
    "wrong", [{"domain": "mitre-enterprise"}, {"sorting": 4}, {"gradient": {"colors": ["#fff"]}}, {"viewMode": 0}]
)
def test_the_description_tells_what_is_no_layer(wrong: dict[str, object]) -> None:
    assert not LAYER.is_valid(layer_of([ONE], name="x") | wrong)


def test_a_technique_shows_the_ones_below_it() -> None:
    claims = tuple(
        Claim(claim_id("attack-technique", n, ""), "attack-technique", n, n, (0, 1), confidence=60)
        for n in ("T1059", "T1059.004", "T1105")
    )
    layer = layer_of([Report("report--1", "s", "t", "en", None, "x", (), claims)], name="x")
    LAYER.validate(layer)
    shown = {t["techniqueID"]: t.get("showSubtechniques") for t in layer["techniques"]}
    assert shown == {"T1059": True, "T1059.004": None, "T1105": None}


_TEXT = st.text(max_size=12)
_CLAIMS = st.builds(
    lambda kind, value, role, confidence, product: Claim(
        claim_id(kind, value, f"{product}|"), kind, value, value, (0, 1), role, None, confidence,
        attributes={"product": product},
    ),
    st.sampled_from(CLAIM_TYPES), _TEXT, st.sampled_from(["malicious", "mentioned", "benign"]), st.integers(0, 100), _TEXT,
)  # fmt: skip


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(_CLAIMS, max_size=5), _TEXT)
def test_any_report_can_be_written(claims: list[Claim], title: str) -> None:
    report = Report("report--1", "s", title, "en", None, "x", (), tuple(claims))
    stix2.parse(json.dumps(bundle_of([report])), allow_custom=False)
    json.dumps(event_of([report])).encode()
    LAYER.validate(layer_of([report], name=title))
    list_of([report]).encode()
