"""Claims are reviewed one by one, at a terminal and from a pipe; who and why is on record."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

import hinomi as hinomi_package

REPORT = "瓦の報告\n\n検体の通信先(C2)は 203.0.114[.]77 と kaze[.]example である。正規の cdn.kumo[.]example も使う。\n"
TYPES = ("--type", "ipv4", "--type", "domain")


@pytest.fixture
def report(hinomi: Any, tmp_path: Path) -> str:
    (tmp_path / "one.txt").write_text(REPORT)
    assert hinomi.with_case("read", "one.txt").code == 0
    listed = json.loads(hinomi.with_case("library", "list", "--format", "json").out)
    return str(listed[0]["id"])


def kept(hinomi: Any, report: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(hinomi.with_case("library", "show", report, "--format", "json").out)
    return body


def test_each_line_of_a_pipe_is_a_decision(hinomi: Any, report: str) -> None:
    ran = hinomi.with_case(
        "library", "review", report, *TYPES, "--lang", "en", stdin=b"a\n?\nr our sensor\nw our CDN\n"
    )
    assert ran.code == 0
    assert "[[203.0.114[.]77]] と kaze[.]example である。" in ran.out, "in its sentence, marked without colours"
    assert "Keys:" in ran.err
    assert "Accepted 1, rejected 1, allow-listed 1, skipped 0; 0 left." in ran.err
    body = kept(hinomi, report)
    decided = {d["claim"]: (d["status"], d["why"]) for d in body["decisions"]}
    by_value = {c["value"]: decided.get(c["id"]) for c in body["claims"]}
    assert by_value["203.0.114.77"] == ("accepted", "")
    assert by_value["kaze.example"] == ("rejected", "our sensor")
    assert by_value["cdn.kumo.example"] == ("rejected", "our CDN")
    allowed = json.loads(hinomi.with_case("library", "allow", "--list", "--format", "json").out)
    assert [(a["value"], a["why"]) for a in allowed] == [("cdn.kumo.example", "our CDN")]
    again = hinomi.with_case("library", "review", report, *TYPES, "--lang", "en")
    assert "No claim" in again.err


def test_a_review_that_ends_early_leaves_the_rest(hinomi: Any, report: str) -> None:
    ran = hinomi.with_case("library", "review", report, *TYPES, "--lang", "en", "--why", "read", stdin=b"s\nr\nq\n")
    assert "rejected 1, allow-listed 0, skipped 1; 1 left." in ran.err
    assert [d["why"] for d in kept(hinomi, report)["decisions"]] == ["read"]


def test_nobody_to_answer_is_said(hinomi: Any, report: str) -> None:
    ran = hinomi.with_case("library", "review", report, "--lang", "en")
    assert ran.code == 2
    assert "nobody is at a terminal" in ran.err
    assert "accept|reject|allow" in ran.err


def test_one_key_at_a_terminal(hinomi: Any, report: str) -> None:
    run = "from hinomi.cli.main import main; main()"
    main, terminal = pty.openpty()
    arguments = ["library", "review", report, *TYPES, "--case", str(hinomi.case), "--lang", "en"]
    here = str(Path(hinomi_package.__file__).parent.parent)
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "60", "PYTHONPATH": here}
    process = subprocess.Popen(
        [sys.executable, "-c", run, *arguments], stdin=terminal, stdout=terminal, stderr=terminal, env=environment
    )
    os.close(terminal)
    said = converse(main, [("[q]uit: ", "a"), ("[q]uit: ", "r"), ("Why?", "our sensor\n"), ("[q]uit: ", "q")])
    assert process.wait() == 0, said
    os.close(main)
    assert "\x1b[7m203.0.114[.]77\x1b[0m" in said, "marked in colour"
    assert "Accepted 1, rejected 1, allow-listed 0, skipped 0; 1 left." in said
    assert [(d["status"], d["why"]) for d in kept(hinomi, report)["decisions"]] == [
        ("accepted", ""),
        ("rejected", "our sensor"),
    ]


def converse(terminal: int, answers: list[tuple[str, str]]) -> str:
    """Type each answer when its question is on the screen; return all that was shown."""
    said, seen = b"", 0
    while select.select([terminal], [], [], 600)[0]:
        try:
            said += os.read(terminal, 65536)
        except OSError:  # the other side closed
            break
        if answers and (place := said.find(answers[0][0].encode(), seen)) >= 0:
            seen = place + len(answers[0][0])
            type_in(terminal, answers.pop(0)[1])
    return said.decode()


def type_in(terminal: int, keys: str) -> None:
    """Type once the other side listens: whatever was typed before a terminal turns raw is thrown away."""
    while len(keys) == 1 and termios.tcgetattr(terminal)[3] & termios.ICANON:
        time.sleep(0.01)
    os.write(terminal, keys.encode())


def test_claims_are_shown_in_their_sentences(hinomi: Any, report: str) -> None:
    hinomi.with_case("library", "reject", report, "kaze.example", "--why", "ours")
    shown = hinomi.with_case("library", "show", report, "--claims", "--lang", "en").out
    assert "203.0.114[.]77 と [[kaze[.]example]] である。" in shown
    assert "rejected by" in shown
    assert "ours" in shown
