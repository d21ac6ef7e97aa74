"""Advisories are imported from what their publishers hand out, and later scans use them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from hinomi.detect.catalogue import Catalogue
from hinomi.evidence.options import ScanOptions
from hinomi.flow.advisories import Imported, import_advisories
from hinomi.flow.scanning import scan
from hinomi.model.errors import UsageError
from hinomi.model.findings import Finding
from hinomi.store.case import Case


def osv(key: str, ecosystem: str, name: str, fixed: str, **more: Any) -> dict[str, Any]:
    events = [{"introduced": "0"}, {"fixed": fixed}]
    package = {"ecosystem": ecosystem, "name": name}
    return {"id": key, "affected": [{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}]}], **more}


PYTHON = osv("PYSEC-1", "PyPI", "Some_Lib", "2.0", aliases=["CVE-2024-0001"], summary="Some lib reads too far")
DEBIAN = osv("DEBIAN-CVE-2024-0002", "Debian:12", "toolbox", "1.2-3", upstream=["CVE-2024-0002"])
OLDER = osv("DEBIAN-CVE-2024-0003", "Debian:11", "toolbox", "9.9-9")
SWIFT = osv("SWIFT-1", "SwiftURL", "github.com/a/b", "1.0")
KEV = {"catalogVersion": "1", "vulnerabilities": [{"cveID": "CVE-2024-0002", "dateAdded": "2024-03-01"}]}
STATUS = "Package: toolbox\nStatus: install ok installed\nVersion: 1.2-1\nArchitecture: amd64\n\n"


def written(path: Path, document: Any) -> str:
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def target(folder: Path) -> Path:
    root = folder / "root"
    dist = root / "usr/lib/python3/some_lib-1.4.dist-info"
    dist.mkdir(parents=True)
    (dist / "METADATA").write_text("Metadata-Version: 2.1\nName: some-lib\nVersion: 1.4\n\n")
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").write_text(STATUS)
    (root / "etc").mkdir()
    (root / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\n')
    return root


def imported(folder: Path, *sources: str) -> Imported:
    with Case.open(folder / "case") as case:
        return import_advisories(case, sources)


def findings(folder: Path) -> dict[str, Finding]:
    with Case.open(folder / "case") as case:
        (result,) = scan(case, [str(target(folder))], Catalogue(()), options=ScanOptions(jobs=1))
    return {f.rule_id: f for f in result.findings}


def test_an_archive_of_osv_and_the_exploited_catalogue(tmp_path: Path) -> None:
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for record in (PYTHON, DEBIAN, OLDER, SWIFT):
            made.writestr(f"{record['id']}.json", json.dumps(record))
    result = imported(tmp_path, str(archive), written(tmp_path / "kev.json", KEV))
    assert (result.advisories, result.exploited, result.not_checkable, result.problems) == (3, 1, 1, [])
    found = findings(tmp_path)
    assert found.keys() == {"pysec-1", "debian-cve-2024-0002"}, "another release's record says nothing"
    assert found["pysec-1"].severity == "medium"
    exploited = found["debian-cve-2024-0002"]
    assert (exploited.severity, exploited.subject_key) == ("high", "toolbox")
    assert exploited.attributes["known_exploited"] == ["CVE-2024-0002"]
    assert "2024-03-01" in exploited.explanation.en and "悪用" in exploited.explanation.ja


def test_a_newer_record_takes_the_place_and_a_withdrawn_one_goes(tmp_path: Path) -> None:
    imported(tmp_path, written(tmp_path / "a.json", [PYTHON, DEBIAN]))
    corrected = osv("PYSEC-1", "PyPI", "some-lib", "1.0")
    gone = {**DEBIAN, "withdrawn": "2024-05-01T00:00:00Z"}
    result = imported(tmp_path, written(tmp_path / "b.json", [corrected, gone]))
    assert (result.advisories, result.withdrawn) == (1, 1)
    assert findings(tmp_path) == {}


def test_a_malicious_package_is_critical(tmp_path: Path) -> None:
    record = {
        "id": "MAL-2024-1",
        "affected": [{"package": {"ecosystem": "PyPI", "name": "some-lib"}, "versions": ["1.4"]}],
    }
    imported(tmp_path, written(tmp_path / "mal.json", record))
    assert findings(tmp_path)["mal-2024-1"].severity == "critical"


def test_a_csaf_document(tmp_path: Path) -> None:
    product = {
        "category": "product_version_range",
        "name": "vers:generic/<1.2-2",
        "product": {"product_id": "p", "name": "toolbox"},
    }
    document = {
        "document": {"category": "csaf_security_advisory", "csaf_version": "2.0", "title": "Toolbox", "publisher": {"name": "Maker"},
                     "tracking": {"id": "M-1", "current_release_date": "2024-01-01T00:00:00Z"}},
        "product_tree": {"branches": [{"category": "product_name", "name": "toolbox", "branches": [product]}]},
        "vulnerabilities": [{"cve": "CVE-2024-0009", "product_status": {"known_affected": ["p"]}}],
    }  # fmt: skip
    result = imported(tmp_path, written(tmp_path / "csaf.json", document))
    assert (result.advisories, result.problems) == (1, [])
    (finding,) = findings(tmp_path).values()
    assert finding.subject_key == "toolbox"


def test_what_cannot_be_read_is_said_and_loses_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "osv"
    folder.mkdir()
    written(folder / "a.json", PYTHON)
    (folder / "b.json").write_text("{")
    written(folder / "c.json", {"a": 1})
    (folder / "d.json").symlink_to("/etc/passwd")
    (tmp_path / "broken.zip").write_bytes(b"PK\x05\x06" + bytes(18) + b"PK")
    result = imported(tmp_path, str(folder), str(tmp_path / "none.json"), str(tmp_path / "broken.zip"))
    assert result.advisories == 1
    assert {Path(place).name for place, _ in result.problems} >= {"b.json", "c.json", "none.json"}


def test_an_address_needs_the_word(tmp_path: Path) -> None:
    with Case.open(tmp_path / "case") as case, pytest.raises(UsageError):
        import_advisories(case, ["https://example.test/all.zip"])


@pytest.mark.parametrize(
    "document", [[], {}, [[]], 5, {"vulns": [5]}, {"vulnerabilities": []}, {"id": "A", "affected": [5]}]
)
def test_odd_documents_never_raise(tmp_path: Path, document: Any) -> None:
    result = imported(tmp_path, written(tmp_path / "odd.json", document))
    assert result.advisories == 0
