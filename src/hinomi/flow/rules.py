"""List, write, test and lint rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hinomi.flow.checking import rules_of
from hinomi.store.case import Case, Place

if TYPE_CHECKING:
    from hinomi.detect.cases import CaseResult
    from hinomi.detect.catalogue import Catalogue


def catalogue_of(place: Place, folders: Sequence[Path]) -> Catalogue:
    """Return the rules at hand, with those of a case where one is named."""
    from hinomi.detect.catalogue import load_rules

    if place is None:
        return load_rules(folders)
    with Case.open(place) as case:
        return rules_of(case, folders)


def selected(catalogue: Catalogue, ids: Sequence[str], folders: Sequence[Path]) -> Catalogue:
    """Return the rules named, else those of the given folders, else all."""
    from hinomi.detect.catalogue import Catalogue
    from hinomi.flow.hunting import only_rule

    if ids:
        chosen = [rule for rule_id in ids for rule in only_rule(catalogue, rule_id)]
        return Catalogue(tuple(chosen), catalogue.errors)
    if not folders:
        return catalogue
    roots = [folder.resolve() for folder in folders]
    own = [r for r in catalogue if any(r.path.resolve().is_relative_to(root) for root in roots)]
    return Catalogue(tuple(own), catalogue.errors)


def test(catalogue: Catalogue) -> list[CaseResult]:
    """Run every case."""
    from hinomi.detect.cases import test_rules

    return list(test_rules(r for r in catalogue if r.kind != "advisory"))


def lint(catalogue: Catalogue) -> list[dict[str, str]]:
    """Return every problem of the rules' files as `{"place", "problem"}`, worst known first."""
    from hinomi.detect.lint import lint as find
    from hinomi.respond.playbook import load_playbooks

    return [problem.to_json() for problem in find(catalogue, set(load_playbooks()))]


def new(rule_id: str, kind: str, folder: Path) -> list[Path]:
    """Write a rule and its cases, ready to fill in; refuses to overwrite."""
    from hinomi.detect.template import write_rule

    return write_rule(rule_id, kind, folder)
