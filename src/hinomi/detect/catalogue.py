"""All rules: found by folder, read once, one broken file never stopping the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hinomi.detect.advisoryfile import read_advisory
from hinomi.detect.rule import Rule
from hinomi.detect.rulefile import read_sql_rule
from hinomi.detect.yararule import read_yara_rule
from hinomi.model.errors import RuleError
from hinomi.model.findings import Coverage, RuleKind

BUILT_IN = Path(__file__).resolve().parent.parent / "rules"
MAX_RULE_FILES = 20_000
_CASES = (".cases.yml", ".cases.yaml")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The rules at hand and the files that could not be read as rules."""

    rules: tuple[Rule, ...]
    errors: tuple[RuleError, ...] = ()

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    def get(self, rule_id: str) -> Rule | None:
        """Return the rule with this id."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def of_kind(self, kind: RuleKind) -> tuple[Rule, ...]:
        """Return the active rules of one kind."""
        return tuple(rule for rule in self.rules if rule.kind == kind and rule.active)

    def select(
        self, *, ids: Iterable[str] = (), threats: Iterable[str] = (), behaviours: Iterable[str] = ()
    ) -> Catalogue:
        """Return the rules that have any of the given ids, threats (however spelt) or behaviours; all for none."""
        wanted_ids, wanted_behaviours = frozenset(ids), frozenset(behaviours)
        wanted_threats = frozenset(name_key(t) for t in threats)
        if not (wanted_ids or wanted_threats or wanted_behaviours):
            return self
        chosen = (
            rule
            for rule in self.rules
            if rule.id in wanted_ids
            or wanted_behaviours.intersection(rule.behaviours)
            or wanted_threats.intersection(name_key(t) for t in rule.threats)
        )
        return Catalogue(tuple(chosen), self.errors)

    def tell_errors(self, coverage: Coverage) -> None:
        """Record every rule file that could not be used."""
        for error in self.errors:
            coverage.miss("rule", error.place, "bad-rule", error.cause)


def name_key(name: str) -> str:
    """Return a name as compared: letters and digits only, without regard to case."""
    return "".join(c for c in name.casefold() if c.isalnum())


def load_rules(extra_folders: Sequence[Path | str] = ()) -> Catalogue:
    """Read the built-in rules and those of further folders (which must exist: `RuleError` otherwise).

    Rules come in order of kind and id. A user's rule with the id of a built-in one takes its place.
    """
    rules, built_in_errors = _built_in()
    by_id = {rule.id: rule for rule in rules}
    errors = list(built_in_errors)
    for folder in extra_folders:
        own, own_errors = _read_folder(Path(folder))
        doubled = _doubled(own)
        errors += own_errors + doubled
        by_id.update((rule.id, rule) for rule in own)
    ordered = sorted(by_id.values(), key=lambda rule: (rule.kind, rule.id))
    return Catalogue(tuple(ordered), tuple(errors))


def forget_built_in() -> None:
    """Read the built-in rules anew when they are asked for next."""
    _built_in.cache_clear()


@cache
def _built_in() -> tuple[tuple[Rule, ...], tuple[RuleError, ...]]:
    rules, errors = _read_folder(BUILT_IN)
    return tuple(rules), tuple(errors + _doubled(rules))


def _doubled(rules: list[Rule]) -> list[RuleError]:
    seen: set[str] = set()
    errors = []
    for rule in rules:
        if rule.id in seen:
            errors.append(RuleError("rule.double-id", place=str(rule.path), cause=f"a second rule named {rule.id}"))
        seen.add(rule.id)
    return errors


def _read_folder(folder: Path) -> tuple[list[Rule], list[RuleError]]:
    rules: list[Rule] = []
    errors: list[RuleError] = []
    for path, read in _rule_files(folder):
        try:
            rules.append(read(path))
        except RuleError as error:
            errors.append(error)
    return rules, errors


def _rule_files(folder: Path) -> Iterator[tuple[Path, Callable[[Path], Rule]]]:
    """Yield every rule file in stable order with its reader; rule packs lie flat or in the folders of their kinds."""
    if not folder.is_dir():
        raise RuleError("rule.no-folder", place=str(folder), cause="no such folder", next_step="check --rules")
    places = [folder, *(folder / name for name in ("sql", "baseline", "yara", "advisories"))]
    found = 0
    for place in places:
        for path in sorted(place.iterdir()) if place.is_dir() else ():
            reader = _reader_of(path, flat=place == folder)
            if reader is None:
                continue
            found += 1
            if found > MAX_RULE_FILES:
                raise RuleError("rule.too-many", place=str(folder), cause=f"more than {MAX_RULE_FILES} rule files")
            yield path, reader


def _reader_of(path: Path, *, flat: bool) -> Callable[[Path], Rule] | None:
    if path.name.endswith(_CASES) or path.name.startswith(".") or not path.is_file():
        return None
    if flat and path.parent == BUILT_IN:  # vocabularies such as behaviours.yml lie there
        return None
    if path.suffix in (".yml", ".yaml"):
        return read_sql_rule
    if path.suffix in (".yar", ".yara"):
        return read_yara_rule
    return read_advisory if path.suffix == ".json" else None
