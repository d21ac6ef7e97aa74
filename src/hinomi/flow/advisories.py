"""Import advisories: OSV records (files, folders, the archives of osv.dev), CSAF documents, the KEV catalogue."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hinomi.flow.online import fetch, is_url, require_online
from hinomi.flow.reading import load
from hinomi.model.errors import HinomiError, ReportError
from hinomi.store.case import Case

MAX_RECORD = 16 << 20
MAX_RECORDS = 1_000_000
MAX_ARCHIVE = 4 << 30
Record = dict[str, Any]


@dataclass(slots=True)
class Imported:
    """What came in: advisories kept, exploited weaknesses kept, what no collector could check, and what was lost."""

    advisories: int = 0
    exploited: int = 0
    withdrawn: int = 0
    not_checkable: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)  # (place, cause)

    def to_json(self) -> dict[str, Any]:
        """Return the result as an object."""
        return {
            "schema": "hinomi.imported/1", "advisories": self.advisories, "exploited": self.exploited,
            "withdrawn": self.withdrawn, "not_checkable": self.not_checkable,
            "problems": [{"place": place, "cause": cause} for place, cause in self.problems],
        }  # fmt: skip


def import_advisories(case: Case, sources: Sequence[str], *, online: bool = False) -> Imported:
    """Keep what the sources hold; what cannot be read is a problem of that source or record alone.

    `UsageError`, before anything is read, for an address without `online`.
    """
    for source in filter(is_url, sources):
        require_online(source, online)
    result = Imported()
    for source in sources:
        try:
            _import(case, source, result)
        except HinomiError as error:
            result.problems.append((error.place or source, error.cause))
    case.journal.append("advisories-imported", sources=list(sources), **_counts(result))
    return result


def _counts(result: Imported) -> dict[str, int]:
    return {"advisories": result.advisories, "exploited": result.exploited, "problems": len(result.problems)}


def _import(case: Case, source: str, result: Imported) -> None:
    kept: list[Record] = []
    for place, document in _documents(source, result):
        if isinstance(document, dict) and isinstance(document.get("vulnerabilities"), list) and _is_kev(document):
            result.exploited += case.advisories.keep_exploited(_entries(document), source)
            continue
        kept += _records(place, document, result)
        if len(kept) >= 2_000:
            result.advisories += _keep(case, kept, source, result)
            kept = []
    result.advisories += _keep(case, kept, source, result)


def _keep(case: Case, records: list[Record], source: str, result: Imported) -> int:
    from hinomi.detect.advisory import subjects_of

    pairs: list[tuple[Record, set[tuple[str, str]]]] = []
    for record in records:
        subjects = set() if record.get("withdrawn") else subjects_of(record)
        result.withdrawn += bool(record.get("withdrawn"))
        result.not_checkable += not subjects and not record.get("withdrawn")
        pairs.append((record, subjects))
    return case.advisories.keep(pairs, source)


def _documents(source: str, result: Imported) -> Iterator[tuple[str, Any]]:
    """Yield (place, JSON document) of every document of a source."""
    path = Path(source)
    if is_url(source):
        yield from _parsed([(source, fetch(source).data)], result)
    elif path.is_dir():
        yield from _parsed(_folder(path, result), result)
    elif source != "-" and zipfile.is_zipfile(path):
        yield from _parsed(_archive(path, result), result)
    else:
        yield from _parsed([(source, load(source))], result)


def _parsed(blobs: Iterable[tuple[str, bytes]], result: Imported) -> Iterator[tuple[str, Any]]:
    for place, data in blobs:
        try:
            yield place, json.loads(data)
        except (ValueError, RecursionError) as error:
            result.problems.append((place, f"not JSON: {error}"[:200]))


def _folder(folder: Path, result: Imported) -> Iterator[tuple[str, bytes]]:
    for number, path in enumerate(sorted(folder.rglob("*.json"))):
        if number >= MAX_RECORDS:
            result.problems.append((str(folder), f"more than {MAX_RECORDS} files"))
            return
        if path.is_symlink():
            continue
        try:
            yield str(path), load(str(path))
        except HinomiError as error:
            result.problems.append((str(path), error.cause))


def _archive(path: Path, result: Imported) -> Iterator[tuple[str, bytes]]:
    """Yield the JSON members of an archive, bounded in number, size and all that comes out."""
    left = MAX_ARCHIVE
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist()[:MAX_RECORDS]:
                if not member.filename.endswith(".json"):
                    continue
                place = f"{path} » {member.filename}"
                with archive.open(member) as file:
                    data = file.read(min(MAX_RECORD, left) + 1)
                if len(data) > min(MAX_RECORD, left):
                    result.problems.append((place, "too large"))
                    if left < MAX_RECORD:
                        return
                    continue
                left -= len(data)
                yield place, data
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise ReportError("advisory.unreadable", place=str(path), cause=str(error)) from error


def _is_kev(document: Record) -> bool:
    return any(isinstance(entry, dict) and "cveID" in entry for entry in document["vulnerabilities"][:5])


def _entries(document: Record) -> Iterator[tuple[str, str, bool]]:
    """Yield (CVE, date added, used by ransomware) of CISA's catalogue of known exploited vulnerabilities."""
    for entry in document["vulnerabilities"][:MAX_RECORDS]:
        if isinstance(entry, dict) and isinstance(entry.get("cveID"), str):
            ransomware = str(entry.get("knownRansomwareCampaignUse", "")).casefold() == "known"
            yield entry["cveID"].upper()[:40], str(entry.get("dateAdded", ""))[:40], ransomware


def _records(place: str, document: Any, result: Imported) -> list[Record]:
    """Return the OSV records of a document: itself, a list, the answer of OSV's interface, or drawn from a CSAF one."""
    if isinstance(document, dict) and isinstance(document.get("document"), dict):
        return _from_csaf(place, document)
    listed = document.get("vulns") if isinstance(document, dict) and "vulns" in document else document
    records = []
    for record in listed if isinstance(listed, list) else [listed]:
        if (
            isinstance(record, dict)
            and isinstance(record.get("id"), str)
            and isinstance(record.get("affected", []), list)
        ):
            records.append(record)
        else:
            result.problems.append((place, "neither OSV, CSAF nor KEV"))
    return records


def _from_csaf(place: str, document: Record) -> list[Record]:
    """Draw the version ranges of a CSAF document by reading it as a report."""
    from hinomi.intel.osv import ranges_of
    from hinomi.intel.read import read_report

    records = ranges_of(read_report(place, json.dumps(document, ensure_ascii=False).encode()))
    for record in records:
        record["aliases"] = record["related"]
        record["database_specific"].pop("reports")  # it stands in no library
    return records
