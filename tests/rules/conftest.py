"""Scanning of replicas, for every test of the rules."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

import pytest

from hinomi.detect.catalogue import Catalogue, load_rules
from hinomi.detect.detect import detect
from hinomi.detect.rowset import write_rows
from hinomi.detect.yara import content_collector
from hinomi.evidence.collect import collect
from hinomi.evidence.collector import ContentCollector
from hinomi.evidence.sources.root import root_target
from hinomi.examples.replica import Tree, write_tree
from hinomi.model.findings import Coverage, Finding
from hinomi.model.tables import Row

_REPLICAS = Path(__file__).parents[1] / "replicas"


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """Return the built-in rules."""
    return load_rules()


@pytest.fixture(scope="session")
def replica() -> Callable[[str], ModuleType]:
    """Return a loader of the replica builders by module name."""

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"replica_{name}", _REPLICAS / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look their module up
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def watcher(catalogue: Catalogue) -> ContentCollector:
    """Return the YARA rules, compiled once."""
    return content_collector(catalogue)


@pytest.fixture
def scan(catalogue: Catalogue, watcher: ContentCollector, tmp_path: Path) -> Callable[..., list[Finding]]:
    """Return a function that writes a tree, collects it all and runs every rule (or those of `only`)."""

    def run(tree: Tree, only: Iterable[str] = ()) -> list[Finding]:
        root = tmp_path / f"root{len(list(tmp_path.iterdir()))}"
        write_tree(root, tree)
        coverage, rows = Coverage(), list[Row]()
        target = root_target(str(root))
        collect(target, rows.append, coverage, watchers=[watcher], jobs=1)
        evidence = tmp_path / f"evidence{root.name}"
        evidence.mkdir()
        findings = detect(
            write_rows(evidence, rows), catalogue.select(ids=only), (), target=target.name, run="run", coverage=coverage
        )
        broken = [m for m in coverage.misses if m.area.startswith(("rule", "table")) or m.reason == "crashed"]
        assert not broken, broken
        return findings

    return run
