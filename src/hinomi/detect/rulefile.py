"""A rule file's words -> `Rule`: one reader for the YAML of SQL rules, the `meta:` of YARA rules and advisories."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hinomi.detect.rule import ID_PATTERN, STATUSES, SUBJECT_TYPES, Rule, is_severity
from hinomi.detect.yamlfile import key_places, load_yaml, read_bounded
from hinomi.model.errors import RuleError
from hinomi.model.findings import RuleKind
from hinomi.model.text import Bilingual

_KEY_WORDS = (
    "id title explanation description status level severity confidence behaviours attack threats falsepositives "
    "references responses subject_type author license licence query"
)
_KEYS = frozenset(_KEY_WORDS.split())
_LISTS = ("behaviours", "attack", "threats", "references", "responses")
_COMPARES = re.compile(r"\bbefore\.[a-z_]+\b|\bbaseline_changes\b", re.IGNORECASE)
_TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?")


class WordReader:
    """Takes typed values out of a rule's mapping; every complaint names the file, line and column of its key."""

    def __init__(self, words: Mapping[str, Any], path: Path, places: Mapping[str, str]) -> None:
        self._words = words
        self._path = path
        self._places = places

    def error(self, key: str, cause: str) -> RuleError:
        """Return the error about `key`."""
        place = self._places.get(key)
        return RuleError("rule.metadata", place=f"{self._path}:{place}" if place else str(self._path), cause=cause)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without a default it must be there."""
        value = self._words.get(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.error(key, f"`{key}` must be a text")
        return value.strip()

    def bilingual(self, key: str, *, optional: bool = False) -> Bilingual:
        """Return a text in both languages."""
        value = self._words.get(key)
        if value is None and optional:
            return Bilingual("", "")
        if not isinstance(value, Mapping) or set(value) != {"en", "ja"}:
            raise self.error(key, f"`{key}` must be {{en: …, ja: …}}")
        return Bilingual(*(self._sentence(key, value[language]) for language in ("en", "ja")))

    def _sentence(self, key: str, value: Any) -> str:
        if isinstance(value, list):
            value = " ".join(str(v) for v in value)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, f"`{key}` must hold a text in each language")
        return " ".join(value.split())

    def words(self, key: str) -> tuple[str, ...]:
        """Return a list of texts (a comma separated text counts as one)."""
        value = self._words.get(key) or []
        if isinstance(value, str):
            value = [v.strip() for v in value.split(",") if v.strip()]
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self.error(key, f"`{key}` must be a list of texts")
        return tuple(value)

    def number(self, key: str, default: int) -> int:
        """Return a whole number from 0 to 100."""
        value = self._words.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 100:
            raise self.error(key, f"`{key}` must be a whole number from 0 to 100")
        return value

    def flag(self, key: str) -> bool | None:
        """Return yes or no; None where nothing is said."""
        value = self._words.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.error(key, f"`{key}` must be true or false")
        return value

    def choice(self, key: str, allowed: Callable[[object], bool], hint: str, default: str | None = None) -> Any:
        """Return one of the allowed words."""
        value = self._words.get(key, default)
        if not isinstance(value, str) or not allowed(value):
            raise self.error(key, f"`{key}` must be one of: {hint}")
        return value


def make_rule(reader: WordReader, *, rule_id: str, kind: RuleKind, body: str, path: Path, level: str) -> Rule:
    """Build a rule from its words; `level` is the key that holds the severity."""
    if not ID_PATTERN.fullmatch(rule_id):
        raise reader.error("id", f"the id {rule_id!r} must be lower-case letters, digits and hyphens")
    lists = {key: reader.words(key) for key in _LISTS}
    wrong = [t for t in lists["attack"] if not _TECHNIQUE.fullmatch(t)]
    if wrong:
        raise reader.error("attack", f"not an ATT&CK technique: {', '.join(wrong)}")
    return Rule(
        id=rule_id,
        kind=kind,
        title=reader.bilingual("title"),
        explanation=reader.bilingual("explanation"),
        falsepositives=reader.bilingual("falsepositives", optional=True),
        severity=reader.choice(level, is_severity, "info low medium high critical"),
        confidence=reader.number("confidence", 50),
        subject_type=reader.choice("subject_type", lambda v: v in SUBJECT_TYPES, " ".join(SUBJECT_TYPES), "file"),
        body=body,
        path=path,
        status=reader.choice("status", lambda v: v in STATUSES, " ".join(STATUSES), "stable"),
        author=reader.text("author", ""),
        licence=reader.text("license", ""),
        memory=reader.flag("memory"),
        **lists,
    )


def read_sql_rule(path: Path) -> Rule:
    """Read one SQL rule file; `RuleError` with its place for anything wrong.

    A query that reads the schema `before` or the table `baseline_changes` makes it a rule of the kind `baseline`: it
    compares two looks.
    """
    text = read_bounded(path)
    words = load_yaml(text, path)
    if not isinstance(words, dict):
        raise RuleError("rule.metadata", place=str(path), cause="a rule is a mapping of keys")
    reader = WordReader(_renamed(words), path, key_places(text))
    unknown = sorted(str(k) for k in words if k not in _KEYS)
    if unknown:
        raise reader.error(unknown[0], f"unknown key `{unknown[0]}`")
    if reader.text("id") != path.stem:
        raise reader.error("id", f"the id must be the file's name, {path.stem!r}")
    level = "level" if "level" in words else "severity"
    body = reader.text("query")
    kind: RuleKind = "baseline" if _COMPARES.search(body) else "sql"
    return make_rule(reader, rule_id=path.stem, kind=kind, body=body, path=path, level=level)


def _renamed(words: dict[str, Any]) -> dict[str, Any]:
    """Accept Sigma's and English spelling beside ours."""
    result = dict(words)
    for other, ours in (("description", "explanation"), ("licence", "license")):
        if other in result and ours not in result:
            result[ours] = result[other]
    return result
