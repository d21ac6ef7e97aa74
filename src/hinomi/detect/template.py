"""A new rule's files, ready to fill in: they load, they lint but for the words, and their cases pass."""

from __future__ import annotations

from pathlib import Path

from hinomi.detect.rule import ID_PATTERN
from hinomi.detect.yararule import identifier
from hinomi.model.errors import RuleError

_SQL = """\
id: {id}
title: {{en: "A script listens for its operator: {{subject}}", ja: "操作者からの接続を待つスクリプト: {{subject}}"}}
explanation:                       # {{placeholders}} are columns of the query
  en: "{{subject}} connects to {{peer}} in a loop (line {{line}})."
  ja: "{{subject}} はループの中で {{peer}} に接続します（{{line}}行目）。"
status: experimental               # experimental | test | stable | deprecated
level: medium                      # info | low | medium | high | critical
confidence: 50                     # 0-100
subject_type: script
behaviours: [reverse-shell]        # ids of behaviours.yml
attack: [T1059.004]
threats: []                        # public names of those known to do it
falsepositives:
  en: "Monitoring scripts that poll a service."
  ja: "サービスを定期的に確認する監視スクリプト。"
references: [https://attack.mitre.org/techniques/T1059/004/]
responses: [preserve-evidence]
query: |
  SELECT a.path AS subject, a.object AS peer, a.line, a.row AS script_actions_row
  FROM script_actions a
  WHERE a.action = 'connects' AND a.in_loop
"""
_SQL_CASES = """\
cases:
  - name: connects in a loop
    rows:
      script_actions:
        - {path: /opt/a/poll, line: 3, action: connects, object: "/dev/tcp/192.0.2.7/443", in_loop: true}
    hit: [{subject: /opt/a/poll, mentions: "192.0.2.7"}]
  - name: connects once
    rows:
      script_actions:
        - {path: /opt/a/once, line: 3, action: connects, object: "/dev/tcp/192.0.2.7/443"}
    miss: all
"""
_YARA = """\
rule {identifier} {{
  meta:
    title_en = "A program with a telling text: {{subject}}"
    title_ja = "特徴的な文字列を持つプログラム: {{subject}}"
    explanation_en = "{{subject}} holds {{patterns}} ({{excerpt}})."
    explanation_ja = "{{subject}} には {{patterns}}({{excerpt}})が含まれます。"
    falsepositives_en = "Programs that quote the text."
    falsepositives_ja = "その文字列を引用するプログラム。"
    status = "experimental"
    severity = "medium"
    confidence = 50
    subject_type = "file"
    behaviours = "backdoor-program"
    attack = "T1505"
    threats = ""
    references = "https://attack.mitre.org/techniques/T1505/"
    responses = "preserve-evidence"
  strings:
    $text = "a text that only this program holds" nocase
  condition:
    uint32(0) == 0x464c457f and $text
}}
"""
_YARA_CASES = """\
cases:
  - name: the text in an ELF file, and in upper case
    files:
      /opt/a/tool: {elf: {strings: ["a text that only this program holds"]}}
    upper: true
    hit: [/opt/a/tool]
  - name: the text in a document
    files:
      /home/u/notes.txt: "a text that only this program holds"
    miss: all
"""


def write_rule(rule_id: str, kind: str, folder: Path) -> list[Path]:
    """Write the files of a new rule (`kind` sql or yara) and return them; `RuleError` for a bad id or taken names."""
    if not ID_PATTERN.fullmatch(rule_id):
        raise RuleError(
            "rule.bad-id", place=rule_id, cause="an id is lower-case letters, digits and hyphens", next_step="my-rule"
        )
    suffix, body, cases = (".yml", _SQL, _SQL_CASES) if kind == "sql" else (".yar", _YARA, _YARA_CASES)
    texts = {
        folder / f"{rule_id}{suffix}": body.format(id=rule_id, identifier=identifier(rule_id)),
        folder / f"{rule_id}.cases.yml": cases,
    }
    taken = next((path for path in texts if path.exists()), None)
    if taken is not None:
        raise RuleError("rule.exists", place=str(taken), cause="the file is there already", next_step="another id")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RuleError("rule.unwritable", place=str(folder), cause=error.strerror or "cannot write") from error
    return list(texts)
