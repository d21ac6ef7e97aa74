"""Every playbook is valid CACAO as far as its shape goes, speaks both languages, and runs to its end."""

from __future__ import annotations

import json
import re

import pytest

from hinomi.model.errors import RuleError
from hinomi.model.findings import Finding
from hinomi.model.text import Bilingual
from hinomi.respond.plan import steps_for
from hinomi.respond.playbook import FOLDER, PHASES, load_playbooks, parse

FILES = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_playbook_is_whole(path) -> None:
    body = json.loads(path.read_text("utf-8"))
    for required in (
        "type",
        "spec_version",
        "id",
        "name",
        "created_by",
        "created",
        "modified",
        "workflow_start",
        "workflow",
    ):
        assert body[required]
    assert re.fullmatch(r"playbook--[0-9a-f-]{36}", body["id"])
    for step in body["workflow"].values():
        assert "on_completion" not in step or step["on_completion"] in body["workflow"]
        assert step["type"] != "action" or (step["agent"] in body["agent_definitions"] and step["commands"])
    playbook = parse(body, str(path))
    assert playbook.id == path.stem
    assert playbook.steps
    for step in playbook.steps:
        assert step.text.en and re.search(r"[ぁ-んァ-ン一-龥]", step.text.ja)


def test_a_circle_is_refused() -> None:
    body = json.loads(FILES[0].read_text("utf-8"))
    end = next(i for i, s in body["workflow"].items() if s["type"] == "end")
    body["workflow"][end]["on_completion"] = body["workflow_start"]
    with pytest.raises(RuleError):
        parse(body, "circle")


def test_steps_come_in_the_order_of_a_clean_up() -> None:
    def finding(number: int, severity: str, *responses: str) -> Finding:
        both = Bilingual("t", "題")
        return Finding(
            str(number), "r", "sql", both, both, severity, 50, "/", "file", f"/f{number}", responses=responses
        )  # type: ignore[arg-type]

    actions = steps_for(
        [finding(1, "info", "update-log4j"), finding(2, "high", "stop-and-remove-implant", "isolate-host")]
    )
    phases = [PHASES.index(a.phase) for a in actions]
    assert phases == sorted(phases)
    assert {a.playbook for a in actions} == {"stop-and-remove-implant", "isolate-host"}
    assert all(a.because == ("2",) for a in actions)
    assert set(load_playbooks()) >= {a.playbook for a in actions if a.playbook}
