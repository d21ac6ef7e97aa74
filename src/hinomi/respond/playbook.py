"""Playbooks: CACAO 2.0 files (OASIS Committee Specification 01, 27 November 2023), one for each way to respond.

Each action step carries the extension `hinomi-step`: its phase and its text in Japanese, which CACAO has no place for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from hinomi.model.errors import RuleError
from hinomi.model.text import Bilingual

FOLDER = Path(__file__).with_name("playbooks")
Phase = Literal["contain", "remove", "verify", "find-the-way-in", "prevent"]
PHASES: tuple[Phase, ...] = get_args(Phase)


@dataclass(frozen=True, slots=True)
class Step:
    """One manual step and the phase of the clean-up it belongs to."""

    id: str
    phase: Phase
    text: Bilingual


@dataclass(frozen=True, slots=True)
class Playbook:
    """A playbook with its action steps in workflow order. `id` is the label that rules name."""

    id: str
    cacao_id: str
    title: Bilingual
    steps: tuple[Step, ...]


def parse(body: dict[str, Any], place: str) -> Playbook:
    """Turn a CACAO object into a playbook; `RuleError` where it lacks what a playbook needs."""
    try:
        if body["type"] != "playbook" or body["spec_version"] != "cacao-2.0":
            raise ValueError("not a CACAO 2.0 playbook")
        (extension,) = [i for i, d in body["extension_definitions"].items() if d["name"] == "hinomi-step"]
        title = Bilingual(body["name"], body["playbook_extensions"][extension]["name_ja"])
        steps = tuple(_step(i, s, extension) for i, s in _in_order(body) if s["type"] == "action")
        return Playbook(body["labels"][0], body["id"], title, steps)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise RuleError("playbook.invalid", place=place, cause=f"{type(error).__name__}: {error}") from error


def _in_order(body: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    workflow = body["workflow"]
    order: list[tuple[str, dict[str, Any]]] = []
    step_id: str | None = body["workflow_start"]
    while step_id is not None and len(order) <= len(workflow):
        order.append((step_id, workflow[step_id]))
        step_id = workflow[step_id].get("on_completion")
    if len(order) > len(workflow):
        raise ValueError("the workflow runs in a circle")
    return order


def _step(step_id: str, step: dict[str, Any], extension: str) -> Step:
    added = step["step_extensions"][extension]
    if added["phase"] not in PHASES:
        raise ValueError(f"unknown phase {added['phase']}")
    return Step(step_id, added["phase"], Bilingual(step["description"], added["description_ja"]))


@cache
def load_playbooks() -> dict[str, Playbook]:
    """Return every shipped playbook by id."""
    loaded = [parse(json.loads(p.read_text("utf-8")), str(p)) for p in sorted(FOLDER.glob("*.json"))]
    return {playbook.id: playbook for playbook in loaded}
