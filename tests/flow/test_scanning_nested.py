"""Images that lie inside a folder: opened by content, within bounds, and with the user's choice of entries."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile

import pytest

from hinomi.detect.catalogue import load_rules
from hinomi.evidence.options import ScanOptions
from hinomi.evidence.sources import image
from hinomi.examples.replica import build_clean_appliance, build_replica
from hinomi.flow.scanning import scan
from hinomi.store.case import Case


@pytest.fixture(scope="module")
def catalogue():
    return load_rules()


@pytest.fixture
def host(tmp_path):
    """Return a clean root with an update in it: a tar of a tar of a root that is not clean."""
    build_clean_appliance(tmp_path / "host", seed=4)
    build_replica(tmp_path / "bad", seed=5)
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as archive:
        archive.add(tmp_path / "bad", arcname=".")
    (tmp_path / "host/srv").mkdir(exist_ok=True)
    with tarfile.open(tmp_path / "host/srv/upgrade.bin", "w") as archive:
        info = tarfile.TarInfo("payload/rootfs")
        info.size = len(inner.getvalue())
        archive.addfile(info, io.BytesIO(inner.getvalue()))
    (tmp_path / "host/srv/rootfs.img").write_bytes(inner.getvalue())
    return tmp_path / "host"


def looked(tmp_path, catalogue, target, **options):
    with Case.open(tmp_path / "case") as case:
        return scan(case, [str(target)], catalogue, options=ScanOptions(**options))


def ways(results):
    return [result.target.partition(" » ")[2] for result in results]


def high(result):
    return {f.rule_id for f in result.findings if f.severity in ("high", "critical")}


def test_an_image_below_a_scanned_root_is_a_target_too(host, catalogue, tmp_path):
    results = looked(tmp_path, catalogue, host)
    assert ways(results) == ["", "srv/rootfs.img"]
    assert not high(results[0])
    assert len(high(results[1])) > 3
    shown = [f.subject_key for f in results[1].findings if f.subject_type == "file"]
    assert shown and all(key.startswith("srv/rootfs.img » /") for key in shown)


def test_an_update_that_holds_a_file_system_is_opened_and_so_is_what_is_in_it(host, catalogue, tmp_path):
    (host / "srv/rootfs.img").unlink()
    tool = shutil.which("mksquashfs")
    if tool is None:
        pytest.skip("mksquashfs is not here")
    subprocess.run([tool, tmp_path / "bad", tmp_path / "fs", "-quiet", "-no-progress"], check=True, timeout=1800)
    with tarfile.open(host / "srv/upgrade.bin", "w") as archive:
        archive.add(tmp_path / "fs", arcname="payload/rootfs")
    results = looked(tmp_path, catalogue, host)
    assert ways(results) == ["", "srv/upgrade.bin", "srv/upgrade.bin » payload/rootfs"]
    assert len(high(results[2])) > 3


def test_images_stay_closed_when_asked(host, catalogue, tmp_path):
    (only,) = looked(tmp_path, catalogue, host, nested=False)
    assert not high(only)


def test_what_the_budget_did_not_reach_is_said(host, catalogue, tmp_path, monkeypatch):
    monkeypatch.setattr(
        image.Surroundings.__init__, "__defaults__", (*image.Surroundings.__init__.__defaults__[:-1], 100)
    )
    (only,) = looked(tmp_path, catalogue, host)
    assert {(m.area, m.reason) for m in only.coverage.misses} == {("images", "budget")}
    assert not only.coverage.complete


def test_include_and_exclude_hold_inside_images(host, catalogue, tmp_path):
    results = looked(tmp_path, catalogue, host / "srv/rootfs.img", exclude=("/etc", "*.sh"))
    whole = looked(tmp_path, catalogue, host / "srv/rootfs.img")
    assert results[0].coverage.examined["files"] < whole[0].coverage.examined["files"]
    assert results[0].coverage.skipped["not-chosen"] > 0
    assert not any(f.subject_key.startswith("/etc/") for f in results[0].findings if f.subject_type == "file")


def test_the_chosen_size_holds_inside_images(host, catalogue, tmp_path):
    (result,) = looked(tmp_path, catalogue, host / "srv/rootfs.img", max_size=10)
    assert result.coverage.skipped["larger-than-chosen"] > 0
