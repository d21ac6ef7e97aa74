"""Techniques of several reports as a layer of the ATT&CK Navigator.

Layer format 4.5, as `layers/spec/v4.5/layerformat.md` of the Navigator's repository describes it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from hinomi.intel.normal import clean
from hinomi.intel.techniques.crosswalk import OURS
from hinomi.model.claims import Claim, Report

_TECHNIQUE = re.compile(r"T\d{4}(?:\.\d{3})?")
_MAX_COMMENT = 1000


def layer_of(reports: Sequence[Report], *, name: str) -> dict[str, Any]:
    """Return the layer: score is the reports' joint confidence (0 to 100), the comment quotes who says so."""
    said: dict[str, list[tuple[Report, Claim]]] = defaultdict(list)
    for report in reports:
        for claim in report.claims:
            if claim.type == "attack-technique" and claim.status != "rejected" and _TECHNIQUE.fullmatch(claim.value):
                said[claim.value].append((report, claim))
    parents = {number.partition(".")[0] for number in said if "." in number}
    return {
        "name": clean(name, 200), "versions": {"attack": OURS, "layer": "4.5", "navigator": "5.1.0"},
        "domain": "enterprise-attack",
        "description": clean("; ".join(r.title for r in reports), 1000), "sorting": 3,
        "layout": {"layout": "side", "showName": True, "expandedSubtechniques": "annotated"},
        "techniques": [_technique(number, said[number], parent=number in parents) for number in sorted(said)],
        "gradient": {"colors": ["#ffffff", "#ff6666"], "minValue": 0, "maxValue": 100},
        "legendItems": [], "metadata": [], "showTacticRowBackground": False, "hideDisabled": False,
    }  # fmt: skip


def _technique(number: str, said: Sequence[tuple[Report, Claim]], *, parent: bool) -> dict[str, Any]:
    """`parent`: the layer holds techniques below it."""
    doubt = 1.0
    surest: dict[str, int] = {}
    for report, claim in said:
        surest[report.id] = max(surest.get(report.id, 0), claim.confidence)
    for confidence in surest.values():
        doubt *= 1 - confidence / 100
    comment = "\n".join(dict.fromkeys(f"{clean(r.title, 100)}: {clean(c.text, 200)}" for r, c in said))
    return {
        "techniqueID": number, "score": round(100 * (1 - doubt)), "comment": comment[:_MAX_COMMENT], "enabled": True,
        "metadata": [{"name": "reports", "value": str(len(surest))}],
    } | ({"showSubtechniques": True} if parent else {})  # fmt: skip
