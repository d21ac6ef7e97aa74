"""Use cases of the library: import, export, remove, allow, search, merge."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from hinomi.flow.reading import kept, loaded
from hinomi.model.claims import CLAIM_TYPES, Claim, ClaimStatus, Report
from hinomi.model.errors import UsageError
from hinomi.store.case import Case

if TYPE_CHECKING:
    from hinomi.store.library import Withdrawn

EXPORTS = ("stix", "misp", "csv", "navigator")


def find(case: Case, report_id: str) -> Report:
    """Return a report of the library by its id or the beginning of it. Raises `UsageError`."""
    found = case.library.get(report_id)
    if found is None:
        raise UsageError("library.no-such-report", place=report_id, cause="not in the library, or ambiguous")
    return found


def chosen(case: Case, report_ids: Sequence[str]) -> list[Report]:
    """Return the reports named, or all of the library; raises `UsageError` where that is none."""
    reports = [find(case, one) for one in dict.fromkeys(report_ids)] if report_ids else case.library.reports()
    if not reports:
        raise UsageError("library.empty", place=str(case.path), cause="the library is empty")
    return list({report.id: report for report in reports}.values())


def decide(
    case: Case, report: Report, wanted: Sequence[str], status: ClaimStatus, *, why: str, allow_too: bool = False
) -> list[Claim]:
    """Accept or reject claims named by id, its beginning, or value (none: all still suggested); records who and why.

    Raises `UsageError` for a name that fits no claim, or several, before anything is decided.
    """
    claims = _named(report, wanted) if wanted else [c for c in report.claims if c.status == "suggested"]
    who = user()
    for claim in claims:
        case.library.decide(report.id, claim.id, status, who=who, why=why)
        if allow_too:
            allow(case, claim.type, claim.value, why=why)
    case.journal.append(f"claims-{status}", report=report.id, claims=[c.id for c in claims], why=why)
    return claims


def suggested(report: Report, kinds: Sequence[str] = ()) -> list[Claim]:
    """Return the claims that nobody decided about yet, of some types or of all; allowed values need no decision."""
    wanted = [c for c in report.claims if c.status == "suggested" and "allowed" not in c.attributes]
    return [c for c in wanted if not kinds or c.type in kinds]


def _named(report: Report, wanted: Sequence[str]) -> list[Claim]:
    found: dict[str, Claim] = {}
    for name in wanted:
        starts = (name, f"claim--{name}")
        fits = [c for c in report.claims if c.id == name or c.value == name]
        fits = fits or [c for c in report.claims if len(name) >= 4 and c.id.startswith(starts)]
        if len({c.id for c in fits}) != 1:
            raise UsageError("library.no-such-claim", place=report.id, cause=name)
        found[fits[0].id] = fits[0]
    return list(found.values())


def user() -> str:
    """Return the name of the user at work."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def import_files(case: Case, sources: Sequence[str], *, online: bool = False) -> list[Report]:
    """Read files of any format into the library; a STIX bundle becomes one report per report object in it."""
    reports: list[Report] = []
    for source in sources:
        name, data, media_type = loaded(source, online=online)
        reports += import_data(case, name, data, media_type)
    return reports


def import_data(case: Case, name: str, data: bytes, media_type: str | None = None) -> list[Report]:
    """Read one document's bytes into the library."""
    parts = list(_bundles(data))
    if len(parts) < 2:
        return [kept(case, name, data, media_type)]
    return [kept(case, name, part, "application/stix+json") for part in parts]


def _bundles(data: bytes) -> Iterable[bytes]:
    """Yield the bundles of a STIX 2 document that holds several reports."""
    from hinomi.intel.exchange.stix import bundles_in
    from hinomi.intel.jsontree import looks_like_json, parsed, trees

    if not looks_like_json(data) or data.count(b'"report"') < 2:
        return
    root = parsed(data)
    if isinstance(root, dict) and root.get("type") == "bundle":
        for bundle in bundles_in(trees(root.get("objects", []))):
            yield json.dumps(bundle, ensure_ascii=True, sort_keys=True).encode()


def export(reports: Sequence[Report], form: str) -> str:
    """Return reports in one of `EXPORTS`, as text."""
    from hinomi.intel.exchange.csvlist import list_of

    if form == "csv":
        return list_of(reports)
    return json.dumps(_exported(reports, form), ensure_ascii=False, indent=2) + "\n"


def _exported(reports: Sequence[Report], form: str) -> dict[str, Any]:
    if form == "stix":
        from hinomi.intel.exchange.stix import bundle_of

        return bundle_of(reports)
    if form == "misp":
        from hinomi.intel.exchange.misp import event_of

        return event_of(reports)
    from hinomi.intel.exchange.navigator import layer_of

    return layer_of(reports, name=", ".join(r.title for r in reports))


def remove(case: Case, report_id: str) -> tuple[Report, Withdrawn]:
    """Delete a report, withdraw the findings that only its indicators supported, and record it."""
    report = find(case, report_id)
    gone = case.library.remove(report.id)
    assert gone is not None
    case.journal.append(
        "report-removed", report=report.id, source=report.source, withdrawn=list(gone.findings),
        weakened=list(gone.weakened),
    )  # fmt: skip
    return report, gone


def allow(case: Case, kind: str, value: str, *, why: str) -> None:
    """Put a value on the allow-list: it never becomes an active indicator. Raises `UsageError` for no claim type."""
    _require_type(kind)
    entry = case.library.allowed.add(kind, value, who=user(), why=why)
    case.journal.append("value-allowed", **{k: v for k, v in entry.to_json().items() if k != "at"})


def disallow(case: Case, kind: str, value: str) -> None:
    """Take a value off the allow-list. Raises `UsageError` where it is not on it."""
    _require_type(kind)
    if not case.library.allowed.remove(kind, value):
        raise UsageError("library.not-allowed", place=f"{kind} {value}", cause="not on the allow-list")
    case.journal.append("value-disallowed", type=kind, value=value)


def _require_type(kind: str) -> None:
    if kind not in CLAIM_TYPES:
        raise UsageError("library.no-such-type", place=kind, cause=", ".join(CLAIM_TYPES))
