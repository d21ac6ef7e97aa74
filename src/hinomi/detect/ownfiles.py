"""Telling detection content from what it detects: a scanner must not find itself, nor other people's rule files.

Told by content alone, and only for files that a rule matched: our installed files by digest, rule files by being
valid as such. A file that runs (by mode or by `#!`) is never taken for a rule file.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hinomi.evidence.collector import ContentFile
from hinomi.model.errors import RuleError

MAX_RULE_FILE = 4 << 20
_PACKAGE = Path(__file__).resolve().parent.parent
_YARA = re.compile(r"^\s*(?:(?:private|global)\s+)*rule\s+\w+", re.MULTILINE)
_SIGMA_KEYS = ({"title", "detection"}, {"id", "query"}, {"cases"}, {"indicators"})
_JSON_KEYS = ({"affected", "id"}, {"type", "objects"}, {"schema_version", "affected"})


def is_rule_file(file: ContentFile) -> bool:
    """Tell whether a matched file is one of ours or is a rule file (YARA, Sigma, our YAML, OSV, STIX)."""
    if file.sha256 in own_digests():
        return True
    if file.entry.mode & 0o111 or file.head.startswith(b"#!") or file.entry.size > MAX_RULE_FILE or b"\0" in file.head:
        return False
    try:
        text = file.read(MAX_RULE_FILE).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return _is_yara(text) or _is_json(text) or _is_yaml(text)


@cache
def own_digests() -> frozenset[str]:
    """Return the SHA-256 of every file of the installed package."""
    digests = set()
    for path in sorted(_PACKAGE.rglob("*")):
        if path.is_file():
            try:
                digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
            except OSError:  # a cache file replaced meanwhile
                continue
    return frozenset(digests)


def _is_yara(text: str) -> bool:
    if not _YARA.search(text):
        return False
    import yara_x

    compiler = yara_x.Compiler(relaxed_re_syntax=True)
    try:
        compiler.add_source(text)
    except yara_x.CompileError:
        # syntax errors are E001; unknown identifiers, modules and externals leave it a YARA file all the same
        return all(error["code"] != "E001" for error in compiler.errors())
    return True


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith("{"):
        return False
    try:
        return _has_keys(json.loads(text), _JSON_KEYS)
    except (ValueError, RecursionError):
        return False


def _is_yaml(text: str) -> bool:
    from hinomi.detect.yamlfile import load_yaml

    try:
        return any(_has_keys(load_yaml(part, Path("-")), _SIGMA_KEYS) for part in re.split(r"^---$", text, flags=re.M))
    except (RuleError, yaml.YAMLError):
        return False


def _has_keys(value: Any, groups: tuple[set[str], ...]) -> bool:
    return isinstance(value, dict) and any(keys <= value.keys() for keys in groups)
