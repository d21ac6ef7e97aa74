"""What STIX and MISP have no words for: each report's own claims, kept beside what they can say.

In STIX they stand in a property extension of the report object, in MISP in an object of the event.
STIX 2.1 (part 7.3) lets an object carry further properties under the id of an extension definition. Others pass over
it; Hinomi reads roles, version conditions, behaviours and confidence back from it exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

from hinomi.intel.composing import Composer
from hinomi.intel.format import Origin, Said
from hinomi.intel.jsontree import day, tree, trees, word
from hinomi.intel.normal import clean
from hinomi.model.claims import CLAIM_TYPES, Claim, ClaimRole, Report

EXTENSION = "extension-definition--f2bb7a3c-51c5-5a0e-9d0f-5b1a2c7e4d90"
MISP_OBJECT = "hinomi-report"
"""The name of the MISP object that holds a report's claims."""
AUTHOR = "identity--0f7e7b1e-6a56-5d0e-8f07-3a9a6c1d2b44"
_MOMENT = "2026-01-01T00:00:00.000Z"
_LOCAL = frozenset({"spans", "allowed"})
"""Attributes that mean something only in the text, or the case, they came from."""
_ID = re.compile(r"report--[0-9a-f]{32}")
_ROLES = frozenset(get_args(ClaimRole))


def definition() -> Iterator[dict[str, Any]]:
    """Yield the extension's definition and its author."""
    base = {"spec_version": "2.1", "created": _MOMENT, "modified": _MOMENT}
    yield base | {"type": "identity", "id": AUTHOR, "name": "Hinomi", "identity_class": "system"}
    yield base | {
        "type": "extension-definition", "id": EXTENSION, "created_by_ref": AUTHOR, "name": "Claims of a report",
        "description": "The claims a report makes, each with type, value, role, confidence and what binds it.",
        "schema": "hinomi.report/1", "version": "1.0.0", "extension_types": ["property-extension"],
    }  # fmt: skip


def body(report: Report) -> dict[str, Any]:
    """Return the extension of one report's object; rejected claims are left out."""
    claims = [claim for claim in report.claims if claim.status != "rejected"]
    known = {claim.id for claim in claims}
    made = {
        "extension_type": "property-extension",
        "report_ref": report.id,
        "report_source": clean(report.source, 2000) or "report",
        "report_published": report.published,
        "claims": [_claim(claim) for claim in claims],
        "relations": [
            {"from": r.from_id, "kind": r.type, "to": r.to_id, "confidence": r.confidence}
            for r in report.relations
            if r.from_id in known and r.to_id in known
        ],
    }
    full: dict[str, Any] = _full(made)
    return full


def _full(value: Any) -> Any:
    """Leave out empty lists and objects, and nulls: STIX allows none. One order of keys, wherever it was kept."""
    if isinstance(value, dict):
        return {k: kept for k, v in sorted(value.items()) if (kept := _full(v)) not in (None, [], {})}
    return [_full(v) for v in value] if isinstance(value, list | tuple) else value


def _claim(claim: Claim) -> dict[str, Any]:
    made: dict[str, Any] = {
        "ref": claim.id, "claim_type": claim.type, "value": clean(claim.value), "role": claim.role,
        "confidence": claim.confidence, "why": clean(claim.why, 500),
    }  # fmt: skip
    if claim.canonical is not None:
        made["canonical"] = clean(claim.canonical)
    kept = {name: value for name, value in claim.attributes.items() if name not in _LOCAL}
    return made | ({"attributes": kept} if kept else {})


def read(composer: Composer, given: Any) -> bool:
    """Compose the claims of an extension; False where there is none."""
    return read_body(composer, tree(tree(given).get(EXTENSION)))


def origin(given: Any) -> Origin | None:
    """Return the report that an extension was made of; None where it does not say so."""
    made = tree(tree(given).get(EXTENSION))
    number, source = word(made.get("report_ref")), clean(word(made.get("report_source")), 2000)
    return Origin(number, source, day(made.get("report_published"))) if _ID.fullmatch(number) and source else None


def read_body(composer: Composer, extension: dict[str, Any]) -> bool:
    """Compose what `body` made; False where it is nothing of that kind."""
    if "report_source" not in extension:
        return False
    said: dict[str, Said] = {}
    for item in trees(extension.get("claims", [])):
        made = _read_claim(composer, item)
        if made is not None:
            said[word(item.get("ref"))] = made
    for item in trees(extension.get("relations", [])):
        source, target = said.get(word(item.get("from"))), said.get(word(item.get("to")))
        if source and target:
            composer.link(source, clean(word(item.get("kind")), 40), target, _percent(item.get("confidence")))
    return True


def _read_claim(composer: Composer, item: dict[str, Any]) -> Said | None:
    from hinomi.intel.read import claim_id

    kind, role = word(item.get("claim_type")), word(item.get("role"))
    if kind not in CLAIM_TYPES or role not in _ROLES:
        return None
    value, reference = clean(word(item.get("value"))), word(item.get("ref"))
    attributes = {k: v for k, v in tree(item.get("attributes")).items() if k not in _LOCAL}
    bound = f"{word(attributes.get('product'))}|{word(attributes.get('branch'))}"
    distinct = next((d for d in ("", bound) if claim_id(kind, value, d) == reference), clean(reference, 64))
    canonical = clean(word(item.get("canonical"))) or None
    return composer.claim(
        kind, kind, value, role, why=clean(word(item.get("why")), 500), canonical=canonical,  # type: ignore[arg-type]
        confidence=_percent(item.get("confidence")), attributes=attributes, distinct=distinct,
    )  # fmt: skip


def _percent(value: Any) -> int:
    return max(0, min(100, value)) if isinstance(value, int) else 50
