"""Reports as a MISP event (core format 2.4), one attribute a claim, with ids and times that do not change.

What MISP has no types for (version conditions, behaviours, relations, roles) stands in an object per report, which
other tools show as text and Hinomi reads back exactly; versions and behaviours are told in MISP's own words as well.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from hinomi.intel.composing import ACTIVE
from hinomi.intel.exchange import extension
from hinomi.intel.jsontree import UNDATED
from hinomi.intel.mispwords import ATTRIBUTES
from hinomi.intel.normal import clean
from hinomi.model.claims import Claim, Report

_NAMESPACE = uuid.UUID("3d1a0c1e-7f53-5c55-8c8e-2f6d5c2b9a77")
_ORGANISATION = {"id": "0", "name": "Hinomi", "uuid": str(uuid.uuid5(_NAMESPACE, "organisation"))}
OBJECT = extension.MISP_OBJECT
TEMPLATE = str(uuid.uuid5(_NAMESPACE, "template"))
_SEEN = frozenset({"actor", "campaign", "malware", "cve", "mitigation"})


def event_of(reports: Sequence[Report]) -> dict[str, Any]:
    """Return one MISP event over `reports`; rejected claims are left out, harmless ones are not `to_ids`."""
    ordered = sorted(reports, key=lambda r: r.id)
    identity = str(uuid.uuid5(_NAMESPACE, "\0".join(r.id for r in ordered)))
    day = max((r.published or UNDATED)[:10] for r in ordered) if ordered else UNDATED
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
            "Object": [_object(report, identity, moment) for report in ordered],
            "Tag": [{"name": name, "exportable": True} for name in sorted(set(_tags(ordered)))],
        }
    }  # fmt: skip


def _object(report: Report, event: str, moment: str) -> dict[str, Any]:
    """Return the claims of one report as they are, for those who can read them."""
    words = json.dumps(extension.body(report), ensure_ascii=False, sort_keys=True)
    own = uuid.uuid5(uuid.UUID(event), report.id)
    claims = {
        "uuid": str(uuid.uuid5(own, "claims")), "object_relation": "claims", "type": "text", "category": "Other",
        "value": words, "to_ids": False, "comment": "", "distribution": "5", "timestamp": moment,
        "disable_correlation": True,
    }  # fmt: skip
    return {
        "uuid": str(own), "name": OBJECT, "meta-category": "misc", "template_uuid": TEMPLATE, "template_version": "1",
        "description": "Claims of a report, with roles, version conditions, behaviours and relations.",
        "comment": clean(report.title, 300), "distribution": "5", "timestamp": moment, "Attribute": [claims],
    }  # fmt: skip


def _attributes(report: Report, event: str, moment: str) -> Iterator[dict[str, Any]]:
    for claim in report.claims:
        words = ATTRIBUTES.get(claim.type)
        if claim.status != "rejected" and words is not None:
            active = claim.role in ACTIVE and claim.type not in _SEEN
            yield _attribute(event, moment, words, claim.value, active, _comment(claim))
        elif claim.status != "rejected" and claim.type in ("fixed-version", "affected-version"):
            yield _attribute(event, moment, ("comment", "Other"), _version(claim), False, claim.type)
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


def _version(claim: Claim) -> str:
    bound = claim.attributes
    parts = (bound.get("product"), bound.get("branch"), bound.get("operator"), claim.value)
    return " ".join(str(part) for part in parts if part)


def _tags(reports: Iterable[Report]) -> Iterator[str]:
    for claim in (c for r in reports for c in r.claims if c.status != "rejected"):
        name = clean(claim.canonical or claim.value, 150).replace('"', "'")
        if claim.type == "attack-technique":
            label = f"{name} - {clean(claim.value)}" if name != claim.value else name
            yield f'misp-galaxy:mitre-attack-pattern="{label}"'
        elif claim.type == "behaviour":
            yield f'hinomi:behaviour="{clean(claim.value, 150)}"'
        elif claim.type == "tool":
            yield f'misp-galaxy:tool="{name}"'
        elif claim.type in ("sector", "country"):
            yield f'misp-galaxy:{claim.type}="{name}"'


def _timestamp(day: str) -> str:
    try:
        return str(int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()))
    except ValueError:
        return "946684800"
