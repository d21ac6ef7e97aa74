"""A report as a STIX 2.1 bundle: plain dictionaries with deterministic ids, in stable order.

Types follow the STIX 2.1 specification (OASIS, 2021): claims with something to look for become indicators, names
become malware, intrusion sets, tools and campaigns, steps become courses of action.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hinomi.intel.jsontree import UNDATED
from hinomi.intel.normal import clean
from hinomi.model.claims import Claim, Report

_NAMESPACE = uuid.UUID("6c0d6f5e-5e0e-5f5c-9d2c-6a2f2f1f7b1e")
"""Ours, for uuid5: the same thing has the same id in every export."""
_EPOCH = f"{UNDATED}T00:00:00.000Z"
_ACTIVE_ROLES = frozenset({"command-and-control", "delivery", "sample", "malicious", "mentioned"})
_HASHES = {
    "md5": "MD5",
    "sha1": "'SHA-1'",
    "sha256": "'SHA-256'",
    "sha512": "'SHA-512'",
    "ssdeep": "SSDEEP",
    "tlsh": "TLSH",
}
_FORMS = {
    "md5": r"[0-9A-Fa-f]{32}", "sha1": r"[0-9A-Fa-f]{40}", "sha256": r"[0-9A-Fa-f]{64}", "sha512": r"[0-9A-Fa-f]{128}",
    "ssdeep": r"\d+:[A-Za-z0-9/+]{1,200}:[A-Za-z0-9/+]{1,200}", "tlsh": r"(?:T1)?[0-9A-Fa-f]{70}",
}  # fmt: skip
_SIMPLE = {
    "ipv4": "ipv4-addr:value", "ipv6": "ipv6-addr:value", "domain": "domain-name:value", "url": "url:value",
    "email": "email-addr:value", "filename": "file:name",
    "registry-key": "windows-registry-key:key", "mutex": "mutex:name",
    "account": "user-account:account_login", "imphash": "file:extensions.'windows-pebinary-ext'.imphash",
    "service": "process:extensions.'windows-service-ext'.service_name",
    "user-agent": "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'",
    **{name: f"file:hashes.{key}" for name, key in _HASHES.items()},
}  # fmt: skip
# Only what the text calls malicious is worth an alert by these alone.
_NEEDS_MALICE = frozenset({"filename", "filepath", "account", "service", "registry-key", "user-agent"})
_NAMED = {"malware": "malware", "tool": "tool", "actor": "intrusion-set", "campaign": "campaign"}
_RELATIONS = frozenset({"uses", "exploits", "targets", "drops", "mitigates", "originates-from", "communicates-with"})

StixObject = dict[str, Any]


def to_bundle(report: Report, *, created: str | None = None) -> StixObject:
    """Return the STIX 2.1 bundle of `report`.

    Times are `created` (RFC 3339, UTC), else the report's own date, else a fixed date: the same report always
    gives the same bytes. Rejected claims are left out.
    """
    moment = _moment(created or report.published)
    claims = [c for c in report.claims if c.status != "rejected"]
    objects: dict[str, StixObject] = {}
    owners: dict[str, str] = {}
    for claim in claims:
        for made in _objects(claim, moment):
            kept = objects.setdefault(made["id"], made)
            _join(kept, made)
            owners.setdefault(claim.id, made["id"])
    for link in _relationships(report, owners, objects, moment):
        objects.setdefault(link["id"], link)
    ordered = [objects[key] for key in sorted(objects)]
    ordered.append(_report(report, ordered, moment))
    return {"type": "bundle", "id": _id("bundle", report.id), "objects": ordered}


def _id(kind: str, *parts: str) -> str:
    return f"{kind}--{uuid.uuid5(_NAMESPACE, chr(0).join((kind, *parts)).encode('utf-8', 'surrogatepass').hex())}"


def _moment(text: str | None) -> str:
    """Return a STIX timestamp for an ISO date or date-time, UTC."""
    from datetime import UTC, datetime

    try:
        parsed = datetime.fromisoformat(text or _EPOCH)
    except ValueError:
        return _EPOCH
    parsed = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed
    try:
        return parsed.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z") if parsed.year >= 1000 else _EPOCH
    except (OverflowError, ValueError):
        return _EPOCH


def _base(kind: str, moment: str, *parts: str, confidence: int | None = None) -> StixObject:
    made: StixObject = {
        "type": kind,
        "spec_version": "2.1",
        "id": _id(kind, *parts),
        "created": moment,
        "modified": moment,
    }
    if confidence is not None:
        made["confidence"] = max(0, min(100, confidence))
    return made


def _objects(claim: Claim, moment: str) -> Iterator[StixObject]:
    maker = _MAKERS.get(claim.type)
    if claim.type in _NAMED:
        yield _named(claim, moment)
    elif maker is not None:
        yield from maker(claim, moment)
    elif pattern := _pattern(claim):
        yield _base("indicator", moment, claim.type, claim.value, confidence=claim.confidence) | {
            "name": clean(claim.value, 200) or claim.type,
            "description": clean(claim.why or claim.type),
            "indicator_types": ["malicious-activity"],
            "pattern": pattern,
            "pattern_type": "stix",
            "pattern_version": "2.1",
            "valid_from": moment,
        }


def _pattern(claim: Claim) -> str | None:
    if claim.role not in _ACTIVE_ROLES or not claim.value:
        return None
    if claim.type in _NEEDS_MALICE and claim.role != "malicious":
        return None
    value = clean(claim.value)
    form = _FORMS.get(claim.type)
    if form and not re.fullmatch(form, value):
        return None
    if claim.type == "cidr":
        return f"[{'ipv6-addr' if ':' in value else 'ipv4-addr'}:value ISSUBSET {_quoted(value)}]"
    if claim.type == "filepath":
        folder, _, name = re.sub(r"[\\/]+$", "", value).replace("\\", "/").rpartition("/")
        folder = value[: len(folder)]
        if not name:
            return None
        place = f" AND file:parent_directory_ref.path = {_quoted(folder)}" if folder else ""
        return f"[file:name = {_quoted(name)}{place}]"
    path = _SIMPLE.get(claim.type)
    return f"[{path} = {_quoted(value)}]" if path else None


def _quoted(value: str) -> str:
    """Return a STIX pattern string literal; control characters cannot stand in one."""
    plain = "".join(c if c.isprintable() else " " for c in value)
    return "'" + plain.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _named(claim: Claim, moment: str) -> StixObject:
    kind = _NAMED[claim.type]
    name = clean(claim.canonical or claim.value, 200)
    made = _base(kind, moment, name.casefold(), confidence=claim.confidence) | {"name": name}
    if kind == "malware":
        made["is_family"] = True
    if claim.value != name:
        made["aliases"] = [clean(claim.value, 200)]
    attack = claim.attributes.get("attack")
    if isinstance(attack, str) and re.fullmatch(r"[GS]\d{4}", attack):
        made["external_references"] = [_attack_reference(attack, "groups" if attack[0] == "G" else "software")]
    return made


def _attack_reference(number: str, folder: str) -> dict[str, str]:
    return {
        "source_name": "mitre-attack",
        "external_id": number,
        "url": f"https://attack.mitre.org/{folder}/{number.replace('.', '/')}",
    }


def _join(kept: StixObject, made: StixObject) -> None:
    """Add another claim's aliases and certainty to the object that stands for both."""
    if kept is made:
        return
    if aliases := sorted({*kept.get("aliases", ()), *made.get("aliases", ())}):
        kept["aliases"] = aliases
    if "confidence" in made:
        kept["confidence"] = max(kept.get("confidence", 0), made["confidence"])


def _vulnerability(claim: Claim, moment: str) -> Iterator[StixObject]:
    yield _base("vulnerability", moment, claim.value, confidence=claim.confidence) | {
        "name": clean(claim.value, 200),
        "external_references": [{"source_name": "cve", "external_id": clean(claim.value, 200)}],
    }


def _attack_pattern(claim: Claim, moment: str) -> Iterator[StixObject]:
    made = _base("attack-pattern", moment, claim.value, confidence=claim.confidence)
    made["name"] = clean(claim.canonical or claim.value, 200)
    if re.fullmatch(r"T\d{4}(?:\.\d{3})?", claim.value):
        made["external_references"] = [_attack_reference(claim.value, "techniques")]
    yield made


def _course(claim: Claim, moment: str) -> Iterator[StixObject]:
    yield _base("course-of-action", moment, claim.value, confidence=claim.confidence) | {
        "name": clean(claim.value, 120) or "step",
        "description": clean(claim.value),
    }


def _sector(claim: Claim, moment: str) -> Iterator[StixObject]:
    name = clean(claim.canonical or claim.value, 200)
    yield _base("identity", moment, "sector", name, confidence=claim.confidence) | {
        "name": name,
        "identity_class": "class",
    }


def _country(claim: Claim, moment: str) -> Iterator[StixObject]:
    code = str(claim.attributes.get("code", ""))
    if re.fullmatch(r"[A-Z]{2}", code):
        name = clean(claim.canonical or claim.value, 200)
        yield _base("location", moment, code, confidence=claim.confidence) | {"name": name, "country": code}


def _software(claim: Claim, moment: str) -> Iterator[StixObject]:
    del moment  # a cyber-observable object has no times
    name = clean(claim.canonical or claim.value, 200)
    yield {"type": "software", "spec_version": "2.1", "id": _id("software", name), "name": name}


_MAKERS: dict[str, Callable[[Claim, str], Iterator[StixObject]]] = {
    "cve": _vulnerability,
    "attack-technique": _attack_pattern,
    "mitigation": _course,
    "sector": _sector,
    "country": _country,
    "product": _software,
}


def _relationships(
    report: Report, owners: dict[str, str], objects: dict[str, StixObject], moment: str
) -> Iterator[StixObject]:
    for relation in report.relations:
        source, target = owners.get(relation.from_id), owners.get(relation.to_id)
        if source is None or target is None or source == target or relation.type not in _RELATIONS:
            continue
        if objects[source]["type"] == "indicator":
            continue
        kind = relation.type
        if objects[target]["type"] == "indicator":
            source, target, kind = target, source, "indicates"
        yield _base("relationship", moment, source, kind, target, confidence=relation.confidence) | {
            "relationship_type": kind,
            "source_ref": source,
            "target_ref": target,
        }


def _report(report: Report, objects: Iterable[StixObject], moment: str) -> StixObject:
    made = _base("report", moment, report.id)
    references = [o["id"] for o in objects]
    made |= {
        "name": clean(report.title or report.source, 300) or "report",
        "report_types": ["threat-report"],
        "published": moment,
        "object_refs": references or [_id("identity", "none")],
    }
    if re.fullmatch(r"[a-z]{2}", report.language):
        made["lang"] = report.language
    if re.match(r"https?://", report.source):
        made["external_references"] = [{"source_name": "report", "url": clean(report.source, 2000)}]
    return made
