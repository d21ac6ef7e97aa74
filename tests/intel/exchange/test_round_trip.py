"""What was exported, imported and exported again is the same to the byte; a bundle cannot take another report's place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from intel_structured import CSV, csaf, misp, openioc, stix1, stix2

import hinomi.examples
from hinomi.flow.library import export, import_data
from hinomi.intel.exchange.stix import bundle_of
from hinomi.intel.read import read_report
from hinomi.store.case import Case

BUNDLED = sorted((Path(hinomi.examples.__file__).parent / "reports").iterdir())
MADE = {"s.json": stix2(), "m.json": misp(), "o.ioc": openioc(), "s.xml": stix1(), "c.json": csaf(), "l.csv": CSV}
INPUTS = {**{path.name: path.read_bytes() for path in BUNDLED}, **MADE}


@pytest.mark.parametrize("name", INPUTS)
def test_a_bundle_read_again_gives_the_same_bundle(name: str) -> None:
    first = json.dumps(bundle_of([read_report(name, INPUTS[name])]), ensure_ascii=False)
    again = json.dumps(bundle_of([read_report("imported.json", first.encode())]), ensure_ascii=False)
    assert again == first


def test_a_library_moves_from_case_to_case_unchanged(tmp_path: Path) -> None:
    with Case.open(tmp_path / "one") as one, Case.open(tmp_path / "two") as two:
        reports = [report for name, data in INPUTS.items() for report in import_data(one, name, data)]
        sent = export(reports, "stix")
        arrived = import_data(two, "sent.json", sent.encode())
        assert {r.id for r in arrived} == {r.id for r in reports}
        assert export(arrived, "stix") == sent


def test_a_bundle_does_not_replace_the_report_that_it_names(tmp_path: Path) -> None:
    with Case.open(tmp_path / "case") as case:
        (known,) = import_data(case, "l.csv", CSV)
        forged = bundle_of([known])
        report = next(item for item in forged["objects"] if item["type"] == "report")
        next(iter(report["extensions"].values()))["claims"] = []
        (other,) = import_data(case, "forged.json", json.dumps(forged).encode())
        kept = case.library.get(known.id)
        assert other.id != known.id
        assert kept is not None and [c.id for c in kept.claims] == [c.id for c in known.claims]


@pytest.mark.parametrize("ref", ["report--x", "../../report--" + "0" * 32, 7, None])
def test_a_reference_that_is_none_is_not_believed(ref: object) -> None:
    bundle = bundle_of([read_report("l.csv", CSV)])
    report = next(item for item in bundle["objects"] if item["type"] == "report")
    next(iter(report["extensions"].values()))["report_ref"] = ref
    read = read_report("b.json", json.dumps(bundle).encode())
    assert read.id == f"report--{read.sha256[:32]}"
    assert read.source == "b.json"
