"""Several reports as one STIX 2.1 bundle with deterministic ids; what STIX cannot say stands in an extension."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from hinomi.intel.exchange import extension
from hinomi.intel.jsontree import Tree
from hinomi.intel.stix import to_bundle
from hinomi.model.claims import Report

_NAMESPACE = uuid.UUID("b0d1a7b4-93f6-5a2e-8a5c-6f3d0b2b7c11")
_JOINED = ("aliases", "indicator_types")


def bundle_of(reports: Sequence[Report], *, created: str | None = None) -> Tree:
    """Return one bundle over `reports`: the same reports give the same bytes, whatever their order.

    An object that several reports speak of stands once: the earliest `created`, the highest confidence, all aliases.
    """
    objects: dict[str, Tree] = {made["id"]: made for made in extension.definition()}
    for report in sorted(reports, key=lambda r: r.id):
        for made in to_bundle(report, created=created)["objects"]:
            if made["type"] == "report":
                made = _with_claims(made, report)
            objects[made["id"]] = _joined(objects[made["id"]], made) if made["id"] in objects else made
    number = uuid.uuid5(_NAMESPACE, "\0".join(sorted(r.id for r in reports)))
    return {"type": "bundle", "id": f"bundle--{number}", "objects": [objects[key] for key in sorted(objects)]}


def bundles_in(objects: Iterable[Tree]) -> list[Tree]:
    """Cut a heap of objects into bundles: one per report object with what it refers to, one for the rest."""
    by_id = {str(item.get("id", number)): item for number, item in enumerate(objects)}
    links = [o for o in by_id.values() if o.get("type") == "relationship"]
    bundles: list[list[Tree]] = []
    told: set[str] = set()
    for key, item in by_id.items():
        if item.get("type") not in ("report", "grouping"):
            continue
        inside = {key, *(r for r in item.get("object_refs", ()) if isinstance(r, str))}
        inside |= {str(o["id"]) for o in links if {o.get("source_ref"), o.get("target_ref")} <= inside and "id" in o}
        told |= inside
        bundles.append([by_id[i] for i in sorted(inside) if i in by_id])
    rest = [item for key, item in by_id.items() if key not in told and item.get("type") not in _BESIDES]
    return [_bundle(part) for part in (*bundles, rest) if part]


_BESIDES = frozenset({"extension-definition", "marking-definition", "identity", "relationship", "language-content"})


def _bundle(objects: list[Tree]) -> Tree:
    number = uuid.uuid5(_NAMESPACE, "\0".join(str(item.get("id", "")) for item in objects))
    return {"type": "bundle", "id": f"bundle--{number}", "objects": objects}


def _with_claims(made: Tree, report: Report) -> Tree:
    return made | {"extensions": {extension.EXTENSION: extension.body(report)}}


def _joined(one: Tree, other: Tree) -> Tree:
    joined = dict(one)
    for name in _JOINED:
        if together := sorted({*one.get(name, ()), *other.get(name, ())}):
            joined[name] = together
    for name, choose in (("created", min), ("valid_from", min), ("modified", max), ("confidence", max)):
        if name in one and name in other:
            joined[name] = choose(one[name], other[name])
    return _dated(joined)


def _dated(item: dict[str, Any]) -> Tree:
    """`modified` never stands before `created`."""
    if "modified" in item:
        item["modified"] = max(item["created"], item["modified"])
    return item
