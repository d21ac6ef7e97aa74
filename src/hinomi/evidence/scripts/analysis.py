"""One script in, its rows out: which language, which walk, and the row about the script as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.detect import REWRITTEN, Language, interpreter_of, language_of
from hinomi.evidence.scripts.record import Recorder
from hinomi.evidence.scripts.shell.vocabulary import QUIET
from hinomi.evidence.scripts.shingles import minhash
from hinomi.evidence.scripts.syntax import error_count, leaves, parse, text_of
from hinomi.evidence.scripts.telling import acts_in_code
from hinomi.model.errors import ParseError
from hinomi.model.tables.scripts import Script, ScriptAction

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_LISTED = 500
DEFAULT_SIZE = 4 << 20
_PATHS = re.compile(r"[\w.@%+~/-]{3,400}")
_GRAMMARS: dict[Language, str] = {
    "shell": "bash",
    "powershell": "powershell",
    "javascript": "javascript",
    **{name: name for name in REWRITTEN},
}


@dataclass(frozen=True, slots=True)
class ScriptAnalysis:
    """The rows of one script. `quiet`: its code names nothing that acts, its comments at most."""

    script: Script
    actions: tuple[ScriptAction, ...]
    quiet: bool = False


def analyse(
    path: str, data: bytes, *, language: Language | None = None, max_size: int = DEFAULT_SIZE, digest: str | None = None
) -> ScriptAnalysis:
    """Return what the script at `path` does; `ParseError` where it is no script that can be read.

    At most `max_size` bytes are read. Without `language` it is told from the #! line, the content and the name.
    """
    spoken = language or language_of(path.encode("utf-8", "surrogateescape"), data[:4096])
    if spoken is None:
        raise ParseError("script-unknown-language", place=path, cause="no language that is read here")
    cut = _utf8(data[:max_size])
    digest = digest or sha256(data).hexdigest()
    if spoken == "batch":
        return _analyse_batch(path, cut, len(data) > max_size, digest)
    tree = parse(_GRAMMARS[spoken], cut)
    recorder = Recorder(path)
    if spoken in REWRITTEN and not acts_in_code(spoken, cut, tree):
        script = Script(path=path, sha256=digest, language=spoken, lines=cut.count(b"\n"))
        return ScriptAnalysis(script, (), quiet=True)
    try:
        _walk(spoken, recorder, tree.root_node)
    except RecursionError:  # depth is bounded per construct; what still gets past is said, not lost
        recorder.truncated = True
    text = cut.decode("utf-8", "surrogateescape")
    actions = recorder.actions()
    row = Script(
        path=path, sha256=digest, language=spoken, interpreter=interpreter_of(data[:256]),
        lines=text.count("\n") + (not text.endswith("\n") and bool(text)), parse_errors=error_count(tree.root_node),
        truncated=recorder.truncated or len(data) > max_size, commands=sorted(recorder.commands)[:MAX_LISTED],
        mentions=_mentions(text, actions), shingles=minhash(_tokens(tree.root_node)),
    )  # fmt: skip
    return ScriptAnalysis(row, actions)


def _analyse_batch(path: str, data: bytes, cut: bool, digest: str) -> ScriptAnalysis:
    """Return what a batch file does; it has no syntax tree."""
    from hinomi.evidence.scripts.batch import tokens_of, walk_batch

    text = data.decode("utf-8", "surrogateescape")
    recorder = Recorder(path)
    walk_batch(recorder, text)
    actions = recorder.actions()
    row = Script(
        path=path, sha256=digest, language="batch", lines=len(text.splitlines()), truncated=recorder.truncated or cut,
        commands=sorted(recorder.commands)[:MAX_LISTED],
        mentions=_mentions(text.replace("\\", "/"), actions), shingles=minhash(tokens_of(text)),
    )  # fmt: skip
    return ScriptAnalysis(row, actions)


def _utf8(data: bytes) -> bytes:
    """Turn UTF-16 with a byte-order mark (usual for Windows scripts) into UTF-8; drop UTF-8's mark."""
    for mark, codec in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data[2:].decode(codec, "replace").encode("utf-8", "replace")
    return data.removeprefix(b"\xef\xbb\xbf")


def _walk(language: Language, recorder: Recorder, root: Node) -> None:
    """Walk in a language; each walk is imported only when a script of it is there."""
    if language in REWRITTEN:
        from hinomi.evidence.scripts.rewritten import MAX_STEPS, rewritten_tree
        from hinomi.evidence.scripts.shell.machine import walk_shell

        text, cut = rewritten_tree(root, language)
        recorder.truncated |= cut
        recorder.allowance = MAX_STEPS
        walk_shell(recorder, parse("bash", text).root_node)
    elif language == "shell":
        from hinomi.evidence.scripts.shell.machine import walk_shell

        walk_shell(recorder, root)
    elif language == "powershell":
        from hinomi.evidence.scripts.powershell.machine import walk_powershell

        walk_powershell(recorder, root)
    else:
        from hinomi.evidence.scripts.javascript import walk_javascript

        walk_javascript(recorder, root)


def _mentions(text: str, actions: Iterable[ScriptAction]) -> list[str]:
    """Return base names of the paths in the text and of the files the actions name."""
    names = {token.rstrip("/").rsplit("/", 1)[-1] for token in _PATHS.findall(text) if "/" in token}
    for action in actions:
        if (
            action.action in ("starts", "copies", "moves", "writes", "checks-running", "patches-binary", "sources")
            and action.object
        ):
            names.add(action.object.rstrip("/").rsplit("/", 1)[-1])
        if action.action in ("copies", "moves") and action.detail:
            names.add(action.detail.rstrip("/").rsplit("/", 1)[-1])
    return sorted(n for n in names if n and n not in (".", "..") and "$" not in n and "*" not in n)[:MAX_LISTED]


_DIGIT = re.compile(r"[0-9]")
_BLANKED = {
    "string_content": "S", "raw_string": "S", "ansi_c_string": "S", "variable_name": "V", "number": "N",
    "heredoc_content": "H",
    "string_fragment": "S", "identifier": "I", "variable": "V", "decimal_integer_literal": "N",
    "verbatim_string_characters": "S",
}  # fmt: skip


def _tokens(root: Node) -> Iterable[str]:
    """Yield tokens with names and constants blanked; words keep their shape only where they are plain commands."""
    for node in leaves(root):
        kind = node.type
        if kind != "comment":
            yield _BLANKED.get(kind) or (_word(text_of(node)) if kind == "word" else _shape(text_of(node)))


def _word(text: str) -> str:
    """Keep tools that every Unix knows and options; names of the script's own are blanked."""
    if text in QUIET or text.startswith("-"):
        return text[:24]
    return _shape(text) if "/" in text or text.isdigit() else "W"


def _shape(text: str) -> str:
    if "/" in text:
        return "P"
    if _DIGIT.search(text) or (not text.isascii() and any(c.isdigit() for c in text)):
        return "N"
    return text[:24]
