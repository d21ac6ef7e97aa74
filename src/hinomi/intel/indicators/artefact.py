"""Names that a text gives to things of the system: mutexes, named pipes, services, scheduled tasks, user agents."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.intel.extractor import Candidate
from hinomi.intel.indicators.artefactrow import named_in_row
from hinomi.intel.indicators.scan import Scan
from hinomi.model.claims import ClaimType

_QUOTED = re.compile(r"[\"'`「『“‘]([^\"'`「」『』“”‘’\n]{2,120})[\"'`」』”’]")
_BARE = re.compile(r"(?:Global\\|Local\\)?[\w{}#.$!\\-]{3,120}")
_LINK = re.compile(
    r"(?:es)?(?: ?(?:object|name(?!d)|value|string|と?名|オブジェクト|の名前))?s?(?: ?(?:is|are|was|as|named"
    r"|called|with the name|using the name|of)){0,2}"
    r"\s?(?:[:：=,]|には?|は|が|名は|として|の|、|である)?\s?"
)
_NAMING = re.compile(r"[:：=]|named|called|with the name|名は|名[:：]")
_CALLED = re.compile(r"name|called|名")
_PIPE = re.compile(r"\\\\(?:\.|[\w.-]{1,64})\\pipe\\[\w.{}$-]{1,120}", re.IGNORECASE)
_TASK_PATH = re.compile(r"\\[\w -]{1,60}(?:\\[\w .{}-]{1,80}){0,5}")
_TASK_FOLDER = re.compile(r"(?:\\[\w.{}$-]+(?: [\w.{}$-]+){0,3}(?=\\)|\\[\w.{}$-]+){3,7}")
_OPENING = frozenset(" \t\n\"'`「『“(|、。:")
_TASK_SWITCH = re.compile(r"/tn\s+(?:\"([^\"\n]{2,120})\"|([^\s\"]{2,120}))", re.IGNORECASE)
_AGENT = re.compile(
    r"user[- ]?agent(?: string)?s?\"?\s*(?:[:=]|is|was|of|は|には?|として)\s*|ユーザ(?:ー)?エージェント(?:名"
    r"|文字列)?\s*(?:[:=]|は|には?|として)?\s*"
)
_AGENT_VALUE = re.compile(r"[\"'`「]?([A-Za-z][^\"`「」\n|]{2,300})")
_MOZILLA = re.compile(r"Mozilla/\d\.\d \([^\"'`「」\n|<>]{2,300}")
_IDENTIFIER = re.compile(r"[\d_\\{}#]|[a-z][A-Z]|^[A-Z]{3,}$")
_CUES: tuple[tuple[ClaimType, tuple[str, ...]], ...] = (
    ("mutex", ("mutexes", "mutex", "ミューテックス", "mutant")),
    ("pipe", ("named pipe", "名前付きパイプ")),
    ("service", ("service", "サービス")),
    ("task", ("scheduled task", "スケジュールタスク", "タスクスケジューラ", "タスク")),
)


class _Artefact:
    name = "artefact"
    order = 32

    def find(self, scan: Scan) -> Iterator[Candidate]:
        yield from _pipes(scan)
        yield from _agents(scan)
        yield from _task_switches(scan)
        yield from _task_folders(scan)
        for kind, cues in _CUES:
            for cue in cues:
                for place in scan.words(cue):
                    yield from _named(scan, kind, place, place + len(cue))


def _named(scan: Scan, kind: ClaimType, start: int, end: int) -> Iterator[Candidate]:
    """The name right after the cue (`mutex "X"`, `service named X`), or quoted before it (`「X」という…`)."""
    text = scan.text
    if row := named_in_row(scan, kind, start, end):
        if not scan.taken(*row):
            yield _claim(scan, kind, text[row[0] : row[1]], *row)
        return
    link = _LINK.match(text, end)
    place = link.end() if link else end
    if kind == "task" and (path := _TASK_PATH.match(text, place)) and not scan.taken(*path.span()):
        value = path.group().rstrip(" .")
        value = value.split(" is", 1)[0].split(" are", 1)[0]
        yield _claim(scan, kind, value, place, place + len(value))
        return
    if (quoted := _QUOTED.match(text, place)) and _plausible(kind, quoted.group(1), quoted=True):
        if not scan.taken(*quoted.span(1)):
            yield _claim(scan, kind, quoted.group(1), *quoted.span(1))
        return
    bare = _BARE.match(text, place)
    if bare and _plausible_bare(kind, bare.group().rstrip(".-"), text[end:place]) and not scan.taken(*bare.span()):
        value = bare.group().rstrip(".-")
        yield _claim(scan, kind, value, bare.start(), bare.start() + len(value))
        return
    yield from _named_before(scan, kind, start)


_BEFORE = re.compile(r"[\"'`「『“]([^\"'`「」『』“”\s]{2,120})[\"'`」』”](?:という(?:名前の)?|と呼ばれる|名の|の)? ?$")


def _named_before(scan: Scan, kind: ClaimType, start: int) -> Iterator[Candidate]:
    low = scan.line_start(start)
    match = _BEFORE.search(scan.text, max(low, start - 140), start)
    if match and _plausible(kind, match.group(1), quoted=True) and not scan.taken(*match.span(1)):
        yield _claim(scan, kind, match.group(1), *match.span(1))


def _plausible(kind: ClaimType, value: str, *, quoted: bool) -> bool:
    value = value.strip()
    if not value or not any(c.isalnum() for c in value):
        return False
    if kind in ("mutex", "pipe"):
        return " " not in value or bool(_IDENTIFIER.search(value))
    if not value.isascii() or (kind == "service" and not value[0].isalnum()):
        return False
    return quoted and len(value.split()) <= 5 and "/" not in value and not value.endswith((".", ","))


def _plausible_bare(kind: ClaimType, value: str, link: str) -> bool:
    """An unquoted word is a name only when it looks made (`KW_7f3a`) or a colon or `named` introduces it."""
    if not value or not value[0].isascii() or not (value[0].isalnum() or value[0] in "{_"):
        return False
    named = bool(_NAMING.search(link))
    if kind in ("service", "task"):  # `service: text` is a heading; `service name: X` and `service named X` are names
        return bool(_CALLED.search(link)) and value.isascii() and len(value) >= 4
    if kind == "pipe":
        return bool(_IDENTIFIER.search(value)) and "\\" not in value
    return bool(_IDENTIFIER.search(value)) or (named and len(value) >= 4)


def _claim(scan: Scan, kind: ClaimType, value: str, start: int, end: int) -> Candidate:
    scan.take(start, end)
    return scan.candidate(
        kind, value.replace("\\\\", "\\") if kind == "mutex" else value, start, end, role="malicious", confidence=65
    )


def _pipes(scan: Scan) -> Iterator[Candidate]:
    if "\\pipe\\" not in scan.lower:
        return
    for match in _PIPE.finditer(scan.text):
        value = match.group().rstrip(".")
        scan.take(match.start(), match.start() + len(value))
        yield scan.candidate("pipe", value, match.start(), match.start() + len(value), role="malicious", confidence=80)


def _task_switches(scan: Scan) -> Iterator[Candidate]:
    if "schtasks" not in scan.lower:
        return
    for match in _TASK_SWITCH.finditer(scan.text):
        group = 1 if match.group(1) else 2
        yield _claim(scan, "task", match.group(group), *match.span(group))


def _task_folders(scan: Scan) -> Iterator[Candidate]:
    """`\\Microsoft\\Windows\\X` that begins with its backslash: the scheduler's folder, no registry key and no path."""
    for place in scan.words("\\microsoft\\windows\\"):
        if place and scan.text[place - 1] not in _OPENING:
            continue
        found = _TASK_FOLDER.match(scan.text, place)
        if found and not scan.taken(*found.span()):
            value = found.group().rstrip(" .")
            yield _claim(scan, "task", value, place, place + len(value))


def _agents(scan: Scan) -> Iterator[Candidate]:
    low = 0
    if "agent" in scan.lower or "エージェント" in scan.lower:
        for cue in _AGENT.finditer(scan.lower):
            value = _AGENT_VALUE.match(scan.text, cue.end())
            if value is None or ("/" not in value.group(1) and scan.text[cue.end()] not in "\"'`「"):
                continue
            start, end = value.start(1), value.start(1) + len(_agent_text(value.group(1)))
            low = max(low, end)
            yield _agent(scan, start, end)
    for match in _MOZILLA.finditer(scan.text) if "Mozilla/" in scan.text else ():
        start, end = match.start(), match.start() + len(_agent_text(match.group()))
        if not scan.taken(start, end):
            yield _agent(scan, start, end)


def _agent_text(value: str) -> str:
    """Cut the prose after a user agent: it ends with its last `)` or product/version."""
    for mark in (". ", "。", "を", "が", "で"):
        value = value.split(mark, 1)[0]
    return value.rstrip(" .,;'")


def _agent(scan: Scan, start: int, end: int) -> Candidate:
    scan.take(start, end)
    return scan.candidate("user-agent", scan.text[start:end], start, end, confidence=70)


FAMILY = _Artefact()
