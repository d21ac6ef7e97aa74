"""Documents that lie fail the build."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import click
import pytest

from hinomi.cli.main import root

TOP = Path(__file__).resolve().parents[2]
READABLE = sorted([*TOP.glob("*.md"), *(TOP / "docs").glob("*.md"), *(TOP / "src").rglob("*.md")])


def generated() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("make_docs", TOP / "tools" / "make_docs.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages()


@pytest.mark.parametrize("name", ["tables.md", "rules.md", "playbooks.md"])
def test_generated_pages_are_fresh(name: str) -> None:
    assert (TOP / "docs" / name).read_text("utf-8") == generated()[name], "run: make docs"


def commands() -> list[str]:
    found = []
    for path in READABLE:
        for line in path.read_text("utf-8").splitlines():
            match = re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?(hinomi [a-z].*)", line)
            if match and ("|" not in line):
                found.append(match[1].split("  #")[0].split("   ")[0])
    return sorted(set(found))


def test_there_are_commands_in_the_documents() -> None:
    assert len(commands()) > 5


@pytest.mark.parametrize("line", commands())
def test_every_command_in_the_documents_exists(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command: click.Command | None = root
    while isinstance(command, click.Group) and words:
        command = command.get_command(click.Context(command), words[0])
        assert command is not None, line
        words = words[1:]
    assert command is not None
    options = {o for p in command.params for o in p.opts}
    for word in words:
        if word.startswith("-") and word != "-":
            assert word.split("=")[0] in options, f"{line}: {word}"


@pytest.mark.parametrize("path", READABLE, ids=lambda p: p.name)
def test_every_link_to_a_file_leads_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_every_place_named_in_the_architecture_exists() -> None:
    text = (TOP / "ARCHITECTURE.md").read_text("utf-8")
    for place in re.findall(r"`([a-z]+/(?:[a-z_]+/)*)`", text):
        assert (TOP / "src" / "hinomi" / place).is_dir(), place


def test_both_readmes_show_the_same_commands() -> None:
    def blocks(name: str) -> set[str]:
        return set(re.findall(r"^(?:make|hinomi|\.venv/bin/hinomi) .*$", (TOP / name).read_text("utf-8"), flags=re.M))

    assert blocks("README.md") == blocks("README.ja.md") != set()


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_output_in_the_readme_is_what_is_printed(language: str) -> None:
    spec = importlib.util.spec_from_file_location("readme_output", TOP / "tools" / "readme_output.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    block = module.MARKS.search(module.READMES[language].read_text("utf-8"))
    assert block
    shown = [
        line
        for line in block[0].splitlines()
        if line and not line.startswith(("<!--", "```", "$ ")) and "…" not in line
    ]
    assert len(shown) > 15
    printed = module.output(language)
    assert not [line for line in shown if line not in printed], "run: make docs"
