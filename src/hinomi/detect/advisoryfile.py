"""Advisory files in OSV form -> `Rule`. `database_specific` may carry our bilingual words, severity and responses."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hinomi.detect.rule import Rule, is_severity
from hinomi.detect.rulefile import WordReader, make_rule
from hinomi.detect.yamlfile import read_bounded
from hinomi.model.errors import RuleError

_SEVERITIES = {"moderate": "medium", "important": "high", "none": "info"}
_TITLE = {"en": "{name} is a version a report calls affected", "ja": "{name}は報告書が影響ありとする版です"}
_BY_PACKAGE = {
    "title": _TITLE, "severity": "medium", "confidence": 75, "behaviours": ["vulnerable-library"],
    "explanation": {
        "en": "{name} {version} ({place}) is in the range that the report gives as affected. Fixed in: {fixed}.",
        "ja": "{name} {version}({place})は報告書が影響ありとする範囲にあります。修正版: {fixed}。",
    },
}  # fmt: skip
_BY_NAME = _BY_PACKAGE | {
    "severity": "low", "confidence": 40,
    "explanation": {
        "en": "{name} {version} ({place}) is older than the report calls fixed ({fixed}), by name and number alone: a "
        "distribution may have carried the fix back without changing the number. Ask its security tracker.",
        "ja": "{name} {version}({place})は、名前と番号だけで見ると報告書の修正版({fixed})より古い版です。"
        "配布元が番号を変えずに修正を取り込んでいる場合があるため、配布元の脆弱性情報で確認してください。",
    },
}  # fmt: skip
_DEFAULT_EXPLANATION = {
    "en": "{name} {version} ({place}) is in the range that {advisory} calls affected. Fixed in: {fixed}.",
    "ja": "{name} {version}({place})は{advisory}の影響を受ける範囲にあります。修正版: {fixed}。",
}


def read_advisory(path: Path) -> Rule:
    """Read one OSV record; `RuleError` with its place for anything wrong."""
    text = read_bounded(path)
    try:
        record = json.loads(text)
    except json.JSONDecodeError as error:
        raise RuleError("rule.json", place=f"{path}:{error.lineno}:{error.colno}", cause=error.msg) from error
    except RecursionError as error:
        raise RuleError("rule.json", place=str(path), cause="nested too deeply") from error
    reader = WordReader(_words(record, path), path, {})
    return make_rule(reader, rule_id=_rule_id(path.stem), kind="advisory", body=text, path=path, level="severity")


def report_rules(records: Iterable[dict[str, Any]]) -> list[Rule]:
    """Return advisory rules for OSV records drawn from reports; one that cannot be a rule is left out.

    A record names its report in `database_specific.reports`; what it finds is about that report. Without an ecosystem
    only names and upstream versions are compared, and distributions carry fixes back: such a hit is a hint.
    """
    rules = []
    for record in records:
        path = Path(f"{record.get('id', '')}.json")
        sure = any((a.get("package") or {}).get("ecosystem") for a in record.get("affected") or ())
        own = record.get("database_specific") or {}
        words = record | {"database_specific": own | (_BY_PACKAGE if sure else _BY_NAME)}
        try:
            reader = WordReader(_words(words, path), path, {})
            number = hashlib.sha256(path.stem.encode("utf-8", "surrogatepass")).hexdigest()[:12]
            body = json.dumps(words, ensure_ascii=False)
            rules.append(
                make_rule(
                    reader, rule_id=f"report-versions-{number}", kind="advisory", body=body, path=path, level="severity"
                )
            )
        except RuleError:
            continue
    return rules


def imported_rules(records: Iterable[dict[str, Any]]) -> list[Rule]:
    """Return advisory rules for OSV records that people imported; one that cannot be a rule is left out."""
    rules = []
    for record in records:
        own = record.get("database_specific")
        own = own if isinstance(own, dict) else {}
        sure = any((a.get("package") or {}).get("ecosystem") for a in record.get("affected") or ())
        words: dict[str, Any] = {"confidence": 85, "behaviours": ["vulnerable-library"]} if sure else dict(_BY_NAME)
        told = _severity(own.get("severity"))
        words["severity"] = told if sure and is_severity(told) else words.get("severity", "medium")
        if str(record.get("id", "")).startswith("MAL-"):  # the package itself is the malware
            words |= {"severity": "critical", "behaviours": ["malicious-package"], "responses": ["clean-npm-package"]}
        kept = {key: own[key] for key in ("reports", "product") if key in own}
        path = Path(f"{record.get('id', '')}.json")
        body = record | {"database_specific": kept | words}
        try:
            reader = WordReader(_words(body, path), path, {})
            text = json.dumps(body, ensure_ascii=False)
            rule_id = _rule_id(path.stem)[:80]
            rules.append(make_rule(reader, rule_id=rule_id, kind="advisory", body=text, path=path, level="severity"))
        except RuleError:
            continue
    return rules


def _rule_id(stem: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")


def _words(record: Any, path: Path) -> dict[str, Any]:
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        raise RuleError("rule.osv", place=str(path), cause="not an OSV record: no `id`")
    if not isinstance(record.get("affected", []), list):
        raise RuleError("rule.osv", place=str(path), cause="`affected` must be a list")
    own = record.get("database_specific")
    own = own if isinstance(own, dict) else {}
    summary = str(record.get("summary") or record["id"])
    return {
        "title": own.get("title") or {"en": summary, "ja": summary},
        "explanation": own.get("explanation") or _DEFAULT_EXPLANATION,
        "severity": _severity(own.get("severity")),
        "confidence": own.get("confidence", 90),
        "subject_type": own.get("subject_type", "library"),
        "behaviours": own.get("behaviours", []),
        "attack": own.get("attack", []),
        "threats": own.get("threats", []),
        "responses": own.get("responses", []),
        "references": [r["url"] for r in record.get("references", []) if isinstance(r, dict) and "url" in r],
        "falsepositives": own.get("falsepositives"),
        "license": str(own.get("license", "")),
    }


def _severity(value: Any) -> str:
    word = str(value or "medium").lower()
    return _SEVERITIES.get(word, word)
