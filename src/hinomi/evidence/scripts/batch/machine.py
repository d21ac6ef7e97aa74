"""The walk over a batch file: variables that are constant, conditions of one line, jumps back as loops."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.evidence.scripts.batch.commands import Command, record
from hinomi.evidence.scripts.batch.lines import bare_of, commands_of, expanded, logical_lines, words_of
from hinomi.evidence.scripts.record import Recorder
from hinomi.evidence.scripts.syntax import parse
from hinomi.evidence.scripts.values import Condition

MAX_DEPTH = 8
_IF = re.compile(
    r"if\s+(?P<i>/i\s+)?(?P<not>not\s+)?(?:(?P<exist>exist)\s+(?P<path>\"[^\"]+\"|\S+)|errorlevel\s+\d+|defined\s+\S+"
    r"|(?:\"[^\"]*\"|[^\s=\"]+)\s*(?:==|equ|neq|lss|leq|gtr|geq)\s*(?:\"[^\"]*\"|[^\s\"(]+))\s*(?P<rest>.*)",
    re.IGNORECASE,
)
_FOR = re.compile(r"for\s+.*?\bdo\b\s*\(?(?P<rest>.*)", re.IGNORECASE)
_ELSE = re.compile(r"else\b\s*\(?", re.IGNORECASE)
_SET = re.compile(r"set\s+(?!/)\"?(?P<name>[^=\s\"][^=\"]*)=(?P<value>[^\"]*)\"?", re.IGNORECASE)
_GOTO = re.compile(r"goto\s*:?\s*(\S+)", re.IGNORECASE)
_WRITES = re.compile(r"(?<![<>])\d?>>?\s*(\"[^\"]+\"|[^\s&>\"]+)")
_JOINED = re.compile(r"\d?>&\d")
_START_OPTION = re.compile(r"/[a-z]+(?::\S*)?", re.IGNORECASE)
_POWERSHELL = ("powershell", "pwsh")


def walk_batch(recorder: Recorder, text: str) -> None:
    """Record what a batch file does."""
    _Machine(recorder).run(text)


def tokens_of(text: str) -> Iterator[str]:
    """Yield words with their numbers and paths blanked, for the comparison of scripts."""
    for _, line in logical_lines(text):
        for word in words_of(line):
            low = word.lower()
            yield "P" if "\\" in low or "/" in low[1:] else "N" if any(c.isdigit() for c in low) else low[:24]


class _Machine:
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._known: dict[str, str] = {}
        self._labels: dict[str, int] = {}
        self._depth = 0

    def run(self, text: str) -> None:
        for number, line in logical_lines(text):
            bare = line.strip().lstrip("@").lstrip()
            if bare.startswith(":"):
                self._labels.setdefault(bare[1:].split(" ")[0].lower(), len(self._recorder.drafts))
            elif bare and not bare.lower().startswith(("rem ", "rem\t")):
                self._line(expanded(bare, self._known, self._recorder.path), number)

    def _line(self, line: str, number: int) -> None:
        asked: str | None = None  # the process that was looked for last
        before = ""
        for how, part in commands_of(line):
            if not self._recorder.step():
                return
            if how == "|" and before.startswith("tasklist") and (name := _looked_for(part)) is not None:
                asked = name
                self._recorder.emit("checks-running", number, f"{before} | {part}", what=name, detail="tasklist")
            guards = (Condition("process", asked, before, how == "&&"),) if asked and how in ("&&", "||") else ()
            with self._recorder.under(guards):
                self._command(part, number)
            before = part.lower()

    def _command(self, text: str, number: int) -> None:
        """Take one command, from behind conditions and loops."""
        text = _ELSE.sub("", text, count=1) if _ELSE.match(text) else text
        if (asked := _IF.match(text)) is not None:
            with self._recorder.under((_condition(asked),)):
                self._command(bare_of(asked["rest"]), number)
        elif (each := _FOR.match(text)) is not None:
            self._command(bare_of(each["rest"]), number)
        elif (kept := _SET.match(text)) is not None:
            self._known[kept["name"].strip().lower()] = kept["value"]
        elif (jump := _GOTO.match(text)) is not None:
            first = self._labels.get(jump[1].lower())
            if first is not None:
                self._recorder.restarts_itself(first, endless=True)
        elif text:
            self._plain(text, number)

    def _plain(self, text: str, number: int) -> None:
        bare, files = _redirected(text)
        words = words_of(bare)
        if not words:
            return
        command = _named(words, bare, number)
        for file in files:
            said = bare[len("echo") :].strip(" .") if command.name == "echo" else None
            self._recorder.emit("writes", number, text, what=file, detail=said, resolved="%" not in text)
        self._run(command)

    def _run(self, command: Command, *, background: bool = False) -> None:
        self._recorder.commands.add(command.name)
        if command.name == "call" and command.words:
            self._run(_named(command.words, command.text, command.line))
        elif command.name == "start":
            words = _started(command.words, command.text)
            if words:
                self._run(_named(words, command.text, command.line), background=True)
        elif command.name == "cmd" and command.has("/c", "/k"):
            self._inner(re.split(r"/[ck]\s*", command.text, maxsplit=1, flags=re.IGNORECASE)[-1], command.line)
        elif command.name in _POWERSHELL:
            self._powershell(command)
        else:
            record(self._recorder, command, background=background)

    def _inner(self, text: str, number: int) -> None:
        """Read what another command shell is given."""
        if self._depth >= MAX_DEPTH:
            self._recorder.truncated = True
            return
        self._depth += 1
        bare = text.strip()
        self._line(bare[1:-1] if bare[:1] == bare[-1:] == '"' else bare, number)
        self._depth -= 1

    def _powershell(self, command: Command) -> None:
        """Read a line of PowerShell as that shell's own reader does, at this line."""
        from hinomi.evidence.scripts.powershell.machine import walk_powershell

        before, self._recorder.pinned_line = self._recorder.pinned_line, command.line
        try:
            walk_powershell(self._recorder, parse("powershell", command.text).root_node)
        finally:
            self._recorder.pinned_line = before


def _looked_for(text: str) -> str | None:
    """Return what `find` or `findstr` looks for."""
    words = words_of(text)
    if not words or words[0].lower() not in ("find", "findstr"):
        return None
    return next((word for word in words[1:] if not word.startswith("/")), None)


def _condition(asked: re.Match[str]) -> Condition:
    path = asked["path"].strip('"') if asked["exist"] else None
    kind = "exists" if path is not None else "other"
    return Condition(kind, path, asked[0][: asked.start("rest")].strip(), not asked["not"])


def _redirected(text: str) -> tuple[str, list[str]]:
    """Return a command without its redirections, and the files it writes."""
    text = _JOINED.sub("", text)
    files = [found.strip('"') for found in _WRITES.findall(text)]
    return _WRITES.sub("", text).strip(), [file for file in files if file.lower() not in ("nul", "con")]


def _named(words: list[str], text: str, number: int) -> Command:
    program = words[0]
    name = program.lower().replace("/", "\\").rsplit("\\", 1)[-1]
    for suffix in (".exe", ".com"):
        name = name.removesuffix(suffix)
    return Command(name, program, words[1:], text, number)


def _started(words: list[str], text: str) -> list[str]:
    """Return what `start` starts: its first quoted word is a title, options stand before the program."""
    rest = words[1:] if re.match(r"start\s+\"", text, re.IGNORECASE) and len(words) > 1 else words
    while rest and _START_OPTION.fullmatch(rest[0]):
        rest = rest[1:]
    return rest
