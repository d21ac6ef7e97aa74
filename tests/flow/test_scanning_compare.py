"""`scan NEW --compare ORIGINAL`: what differs by meaning, between folders and images of any two sorts."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from hinomi.detect.catalogue import load_rules
from hinomi.evidence.options import ScanOptions
from hinomi.examples.replica import build_clean_appliance, build_replica
from hinomi.flow.scanning import ScanResult, scan
from hinomi.model.errors import UsageError
from hinomi.store.case import Case


def compared(folder: Path, new: Path, original: Path) -> list[ScanResult]:
    with Case.open(folder / "case") as case:
        return scan(case, [str(new)], load_rules(), options=ScanOptions(jobs=1), compare=str(original))


def packed(folder: Path, made: Path) -> Path:
    with tarfile.open(made, "w:gz") as archive:
        archive.add(folder, arcname=".")
    return made


@pytest.mark.parametrize("as_image", [False, True])
def test_an_appliance_against_its_original(tmp_path: Path, as_image: bool) -> None:
    new, original = tmp_path / "new", tmp_path / "original"
    build_replica(new, seed=7)
    build_clean_appliance(original, seed=7)
    target = packed(new, tmp_path / "new.tgz") if as_image else new
    (result,) = compared(tmp_path, target, original)
    by_rule = {f.rule_id: f for f in result.findings if f.rule_kind == "baseline"}
    assert {"account-added-since", "autostart-added-since", "script-does-more-since"} <= by_rule.keys()
    assert by_rule["account-added-since"].severity == "high"
    patched = by_rule["program-patched-since"]
    assert patched.severity == "high"
    assert {e.table for e in patched.evidence} == {"elf", "before.elf", "files"}
    assert all(e.shows for f in by_rule.values() for e in f.evidence)
    assert result.coverage.complete


def test_the_same_tree_gives_no_difference(tmp_path: Path) -> None:
    build_clean_appliance(tmp_path / "a", seed=1)
    build_clean_appliance(tmp_path / "b", seed=1)
    (result,) = compared(tmp_path, tmp_path / "a", packed(tmp_path / "b", tmp_path / "b.tgz"))
    assert [f for f in result.findings if f.rule_kind == "baseline"] == []


def test_the_original_gets_no_findings_of_its_own(tmp_path: Path) -> None:
    build_replica(tmp_path / "bad", seed=2)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "etc").mkdir()
    results = compared(tmp_path, tmp_path / "new", tmp_path / "bad")
    assert {f.target for r in results for f in r.findings} <= {str(tmp_path / "new")}
    with Case.open(tmp_path / "case") as case:
        (original,) = [run for run in case.runs() if run.target == str(tmp_path / "bad")]
        assert case.findings.of_run(original.id) == []


def test_what_lies_only_in_one_of_two_images_is_said(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    build_clean_appliance(inner, seed=1)
    (tmp_path / "new").mkdir()
    packed(inner, tmp_path / "new" / "rootfs.tgz")
    (tmp_path / "old").mkdir()
    packed(inner, tmp_path / "old" / "other.tgz")
    new = packed(tmp_path / "new", tmp_path / "new.tar.gz")
    original = packed(tmp_path / "old", tmp_path / "old.tar.gz")
    results = compared(tmp_path, new, original)
    misses = {(m.area, m.reason) for r in results for m in r.coverage.misses}
    assert {("compare", "no-counterpart"), ("compare", "only-in-original")} <= misses


def test_only_one_target_can_be_compared(tmp_path: Path) -> None:
    with Case.open(tmp_path / "case") as case, pytest.raises(UsageError):
        scan(case, [str(tmp_path), str(tmp_path)], load_rules(), compare=str(tmp_path))
