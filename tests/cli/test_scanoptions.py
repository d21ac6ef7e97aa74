"""The options of scan and check that say how targets are examined."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from hinomi.cli.scanoptions import Size


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("500", 500), ("10k", 10_240), ("5M", 5 << 20), ("2GiB", 2 << 30), ("1TB", 1 << 40), (" 7b ", 7)],
)
def test_sizes(text: str, size: int) -> None:
    assert Size().convert(text, None, None) == size


@pytest.mark.parametrize("text", ["", "-1", "1.5G", "M", "10X", "1 G", "9" * 40, "٣"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Size().convert(text, None, None)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "etc").mkdir(parents=True)
    (folder / "etc/keep.conf").write_text("a = 1\n")
    (folder / "etc/leave.log").write_text("text\n")
    (folder / "etc/large").write_bytes(bytes(5000))
    return folder


def coverage_of(hinomi: Any, *arguments: str) -> dict[str, Any]:
    ran = hinomi.with_case(*arguments, "--format", "json", "--fail-on", "never")
    assert ran.code == 0, ran.err
    body: dict[str, Any] = json.loads(ran.out)["coverage"]
    return body


def test_the_choices_of_a_scan_reach_it(hinomi: Any, tree: Path) -> None:
    every = coverage_of(hinomi, "scan", str(tree), "--jobs", "1")
    assert every["examined"]["files"] == 3
    chosen = coverage_of(hinomi, "scan", str(tree), "--include", "*.conf", "--include", "large", "--max-size", "4K")
    assert (chosen["examined"]["files"], chosen["skipped"]["larger-than-chosen"]) == (1, 1)
    left = coverage_of(hinomi, "scan", str(tree), "--exclude", "/etc", "--same-fs")
    assert left["examined"].get("files", 0) == 0 and left["skipped"]["not-chosen"] == 1


def test_the_choices_of_a_check_reach_it(hinomi: Any, tree: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.txt"
    report.write_text("The actor used the file name evil.exe and 203.0.113.7 in this campaign.\n")
    ran = hinomi.with_case(
        "check", str(report), "--on", str(tree), "--exclude", "*.log", "--jobs", "2", "--format", "json"
    )
    assert '"not-chosen": 1' in json.dumps(json.loads(ran.out)), ran.err


def test_the_cache_lies_in_the_case_and_is_not_used_without(hinomi: Any, tree: Path, monkeypatch: Any) -> None:
    from hinomi.evidence import cache

    monkeypatch.setattr(cache, "SETTLED_SECONDS", -10.0)
    coverage_of(hinomi, "scan", str(tree), "--no-cache")
    assert not (hinomi.case / "cache").exists()
    coverage_of(hinomi, "scan", str(tree))
    again = coverage_of(hinomi, "scan", str(tree), "--jobs", "2")
    assert again["examined"]["files-from-cache"] == 3
    assert "files-from-cache" not in coverage_of(hinomi, "scan", str(tree), "--no-cache")["examined"]


def test_a_wrong_size_is_a_usage_error(hinomi: Any, tree: Path) -> None:
    ran = hinomi.with_case("scan", str(tree), "--max-size", "much")
    assert ran.code == 2 or ran.code == 64
    assert "much" in ran.err


def test_nice_lowers_this_process(hinomi: Any, tree: Path, monkeypatch: Any) -> None:
    from hinomi.flow import scanning

    calls: list[int] = []
    monkeypatch.setattr(scanning, "be_nice", lambda: calls.append(1))
    coverage_of(hinomi, "scan", str(tree))
    assert calls == []
    coverage_of(hinomi, "scan", str(tree), "--nice", "--jobs", "1")
    assert calls == [1]
