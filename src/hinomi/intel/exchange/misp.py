"""Reports as a MISP event (core format 2.4), one attribute a claim, with ids and times that do not change."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from hinomi.intel.composing import ACTIVE
from hinomi.intel.mispwords import ATTRIBUTES
from hinomi.intel.normal import clean
from hinomi.model.claims import Claim, Report

_NAMESPACE = uuid.UUID("3d1a0c1e-7f53-5c55-8c8e-2f6d5c2b9a77")
_ORGANISATION = {"id": "0", "name": "Hinomi", "uuid": str(uuid.uuid5(_NAMESPACE, "organisation"))}
_DAY = "2000-01-01"
_SEEN = frozenset({"actor", "campaign", "malware", "cve", "mitigation"})


def event_of(reports: Sequence[Report]) -> dict[str, Any]:
    """Return one MISP event over `reports`; rejected claims are left out, harmless ones are not `to_ids`."""
    ordered = sorted(reports, key=lambda r: r.id)
    identity = str(uuid.uuid5(_NAMESPACE, "\0".join(r.id for r in ordered)))
    day = max((r.published or _DAY)[:10] for r in ordered) if ordered else _DAY
    moment = _timestamp(day)
    attributes: dict[str, dict[str, Any]] = {}
    for report in ordered:
        for made in _attributes(report, identity, moment):
            kept = attributes.setdefault(made["uuid"], made)
            kept["to_ids"] = kept["to_ids"] or made["to_ids"]
    return {
        "Event": {
            "uuid": identity, "info": clean(" / ".join(r.title for r in ordered), 1000) or "reports", "date": day,
            "timestamp": moment, "published": False, "analysis": "2", "threat_level_id": "4", "distribution": "0",
            "orgc_id": "0", "org_id": "0", "Orgc": _ORGANISATION, "Org": _ORGANISATION,
            "Attribute": sorted(attributes.values(), key=lambda a: (a["category"], a["type"], a["value"])),
            "Tag": [{"name": name, "exportable": True} for name in sorted(set(_tags(ordered)))],
        }
    }  # fmt: skip


def _attributes(report: Report, event: str, moment: str) -> Iterator[dict[str, Any]]:
    for claim in report.claims:
        words = ATTRIBUTES.get(claim.type)
        if claim.status != "rejected" and words is not None:
            active = claim.role in ACTIVE and claim.type not in _SEEN
            yield _attribute(event, moment, words, claim.value, active, _comment(claim))
    if report.source.startswith(("http://", "https://")):
        yield _attribute(event, moment, ("link", "External analysis"), report.source, False, "")


def _attribute(
    event: str, moment: str, words: tuple[str, str], value: str, to_ids: bool, comment: str
) -> dict[str, Any]:
    shown = clean(value)
    return {
        "uuid": str(uuid.uuid5(uuid.UUID(event), f"{words[0]}\0{shown}")), "type": words[0], "category": words[1],
        "value": shown, "to_ids": to_ids, "comment": comment, "distribution": "5", "timestamp": moment,
        "disable_correlation": False,
    }  # fmt: skip


def _comment(claim: Claim) -> str:
    if claim.type in ("mitigation", "actor", "campaign", "malware"):
        return clean(claim.canonical or "", 500) if claim.canonical != claim.value else ""
    return clean(f"{claim.role}: {claim.why}" if claim.why else claim.role, 500)


def _tags(reports: Iterable[Report]) -> Iterator[str]:
    for claim in (c for r in reports for c in r.claims if c.status != "rejected"):
        name = clean(claim.canonical or claim.value, 150).replace('"', "'")
        if claim.type == "attack-technique":
            label = f"{name} - {clean(claim.value)}" if name != claim.value else name
            yield f'misp-galaxy:mitre-attack-pattern="{label}"'
        elif claim.type == "tool":
            yield f'misp-galaxy:tool="{name}"'
        elif claim.type in ("sector", "country"):
            yield f'misp-galaxy:{claim.type}="{name}"'


def _timestamp(day: str) -> str:
    try:
        return str(int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()))
    except ValueError:
        return "946684800"
