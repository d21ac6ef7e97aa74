"""Calls that stand alone: what they change, as commands of the shell. Keeps what was opened and connected to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.rewritten import calls
from hinomi.evidence.scripts.rewritten.reading import Asked
from hinomi.evidence.scripts.rewritten.words import UNKNOWN, Word, constant, joined, literal, many, one, quoted
from hinomi.evidence.scripts.rewritten.writer import Writer, argument, function_name
from hinomi.evidence.scripts.syntax import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_SQL = re.compile(
    r"\s*(?:select|insert|update|delete|copy|alter|create|drop|attach|grant|pragma|with)\b", re.IGNORECASE
)
_ADDRESS = re.compile(r"^(?:\w+://)?([\w.-]+):(\d{1,5})$")
_SOURCE = re.compile(r"(?:dbname|database)=([^;\"']+)|sqlite:(?:///)?(?!\w+=)([^;:\"']+)$", re.I)  # of a DSN or URL
_BARE_SHELL = re.compile(r"(?:exec )?(?:/\S*/)?(?:ba|da|a|k|z)?sh(?: -l?i)?(?: \d?[<>]&\S+)*(?: &)?")
_STREAMS = ("stdin", "stdout", "stderr", "in", "out", "err")
_PLAIN = ("PIPE", "DEVNULL", "STDOUT", "None", "devnull", "log")
_STANDARD = re.compile(r"\\?\*?(?:STD(?:IN|OUT|ERR)|[012])")  # as a stream that another becomes
_PIPES = ("-|", "|-")  # from a command, to a command
_EXECUTES = frozenset("execute executescript prepare query selectall_arrayref".split())
_VARIABLE = re.compile(r"\$\{\w+\}")
_NAME = re.compile(r"[A-Za-z_]\w*")
_FIELDS = re.compile(r"\{(\d)(\?)?\}|\{\*\}")


@dataclass(slots=True)
class Opened:
    """A file or archive that is held open under a name."""

    path: Word
    mode: str | None = "r"  # None where it is not known
    tool: str = ""

    @property
    def reads(self) -> bool:
        """Whether it is open for reading alone, as far as is known."""
        return (self.mode or "r")[:1] == "r" and "+" not in (self.mode or "")

    @property
    def changes(self) -> bool:
        """Whether it is open to be changed in place."""
        return not self.tool and (self.mode or "")[:1] == "r" and "+" in (self.mode or "")


@dataclass(slots=True)
class Effects:
    """Turns calls into commands. `bind` is the name that what they give is assigned to."""

    writer: Writer
    opened: dict[str, Opened] = field(default_factory=dict)
    database: str = "sqlite3 '?'"
    peer: tuple[Word, Word] | None = None
    listening: Word | None = None

    def __post_init__(self) -> None:
        """Let expressions ask the database as well."""
        self.writer.query = self._query

    def _query(self, call: Asked) -> str | None:
        found = _queries(self, call, "") or self._heard(call)
        return found[0] if found else None

    def _heard(self, call: Asked) -> list[str] | None:
        """What comes in over a connection: `s.recv(n)`, `s.gets`, `fgets($s)`, `c:receive()`."""
        source = call.receiver if call.receiver is not None else next(iter(call.args), None)
        if call.member not in calls.RECEIVES or source is None or self.held(source) is not None:
            return None
        if self.peer is not None:
            return [f"nc {quoted(self.peer[0])} {quoted(self.peer[1])}"]
        return [f"nc -l -p {quoted(self.listening)}"] if self.listening is not None else None

    def commands(self, call: Asked, bind: str = "") -> list[str] | None:
        """Return a call's commands; None where it is none of those known here."""
        for rule in _EFFECTS:
            found = rule(self, call, bind)
            if found is not None:
                return found
        return None

    def word(self, call: Asked, number: int) -> Word:
        """Return an argument as a word."""
        return argument(self.writer, call, number)

    def held(self, node: Node | None) -> Opened | None:
        """Return what is open under a name, or is opened by the expression itself."""
        if node is None:
            return None
        call = self.writer.read.call(self.writer.read.bare(node))
        return _opening(self, call) if call is not None else self.opened.get(_handle(text_of(node)))

    def open_as(self, name: str, opened: Opened) -> None:
        """Remember what a name stands for."""
        if len(self.opened) < 1000:
            self.opened[_handle(name)] = opened


def _handle(text: str) -> str:
    return text.strip("{}$ ").removeprefix("my ").removeprefix("self.")[:200]


def _runs(effects: Effects, call: Asked, bind: str) -> list[str] | None:
    name, writer = call.name, effects.writer
    if name in calls.QUERIES and call.receiver is None and _SQL.match(constant(effects.word(call, 0)) or ""):
        return None
    if name not in calls.STARTS or (call.receiver is None and name == "exec" and writer.dialect.grammar == "python"):
        return None
    line = writer.run(call)
    if _given_streams(effects, call) or _BARE_SHELL.fullmatch(line):
        over = _shell_over_socket(effects)
        if over is not None:
            return over
    if name in calls.BACKGROUND or name in calls.SPAWNS:
        return [f"{line} &"] if not bind else [f"{line} &", f"{bind}=$!"]
    if (
        name in calls.REPLACES
        or name in calls.REPLACES_FLAT
        or (name == "exec" and writer.dialect.grammar in ("perl", "ruby"))
    ):
        return [f"exec {line}"]
    return [f"{bind}=$({line})", f"{bind}_status=$?"] if bind else [line]


def _given_streams(effects: Effects, call: Asked) -> bool:
    """`Popen(["/bin/sh"], stdin=s, stdout=s)`: a program whose streams are a connection."""
    names = [text_of(node) for key, node in call.named.items() if key in _STREAMS]
    ordinary = any(word in n for n in names for word in _PLAIN) or any(_handle(n) in effects.opened for n in names)
    return bool(names) and effects.peer is not None and not ordinary


def _shell_over_socket(effects: Effects) -> list[str] | None:
    if effects.listening is not None:
        return [f"nc -l -p {quoted(effects.listening)} -e /bin/sh"]
    if effects.peer is not None:
        return [f"nc {quoted(effects.peer[0])} {quoted(effects.peer[1])} -e /bin/sh"]
    return None


def _filled(effects: Effects, call: Asked, _: str) -> list[str] | None:
    own = f"{effects.writer.dialect.grammar}.{call.name}"
    template = calls.COMMANDS.get(own) or calls.COMMANDS.get(call.name)
    if template is None and call.receiver is not None and call.member in ("unlink", "rename", "chmod", "symlink_to"):
        return _of_path(effects, call)
    if template is None:
        return None
    words = [w for a in call.args for w in many(effects.writer.value(a))]
    return [_FIELDS.sub(lambda m: _field(effects, words, m), template).strip()]


def _field(effects: Effects, words: list[Word], match: re.Match[str]) -> str:
    if match[1] is None:
        return " ".join(map(quoted, words))
    number = int(match[1])
    if number < len(words):
        return quoted(words[number]).replace("0o", "")  # modes: Python's 0o755 is chmod's 755
    return "" if match[2] else quoted(UNKNOWN)


def _of_path(effects: Effects, call: Asked) -> list[str] | None:
    """Methods of a path: `Path(x).unlink()`, `.rename(y)`, `.chmod(m)`, `.symlink_to(y)`."""
    if call.receiver is None:
        return None
    path, given = quoted(effects.writer.word(call.receiver)), quoted(effects.word(call, 0))
    made = {"unlink": f"rm -f {path}", "rename": f"mv {path} {given}", "chmod": f"chmod {given} {path}",
            "symlink_to": f"ln -s {given} {path}"}  # fmt: skip
    return [made[call.member].replace("0o", "")]


def _waits(effects: Effects, call: Asked, _: str) -> list[str] | None:
    """Waits in other units, or through a call that is made for something else."""
    if call.name in ("usleep", "Time::HiRes::usleep", "ngx.usleep"):
        text = constant(effects.word(call, 0)) or ""
        return [f"sleep {int(text) / 1e6:g}" if text.isdigit() else 'sleep "$unknown"']
    if call.name == "select" and len(call.args) == 4:
        return [f"sleep {quoted(effects.word(call, 3))}"]
    if call.member == "wait" and call.named.get("timeout") is not None:
        return [f"sleep {quoted(effects.writer.word(call.named['timeout']))}"]
    if call.member == "wait" and call.args and (constant(effects.word(call, 0)) or "").isdigit():
        return [f"sleep {quoted(effects.word(call, 0))}"]
    return None


def _opening(effects: Effects, call: Asked) -> Opened | None:
    if call.name in calls.ARCHIVES and call.args:
        given = constant(effects.word(call, 1)) if len(call.args) > 1 else "r"
        return Opened(effects.word(call, 0), given or "r", calls.ARCHIVES[call.name])
    if call.name not in calls.OPENS and not (call.member == "open" and call.receiver is not None):
        return None
    if call.member == "open" and call.receiver is not None and call.name not in calls.OPENS:
        return Opened(effects.writer.word(call.receiver), constant(effects.word(call, 0)) if call.args else "r")
    mode_node = call.named.get("mode")
    mode = effects.writer.word(mode_node) if mode_node is not None else effects.word(call, 1)
    return Opened(effects.word(call, 0), constant(mode) if len(call.args) > 1 or mode_node is not None else "r")


def _opens(effects: Effects, call: Asked, bind: str) -> list[str] | None:
    if effects.writer.dialect.grammar == "perl" and call.name == "open" and len(call.args) >= 2:
        return _perl_open(effects, call)
    if effects.writer.dialect.grammar == "perl" and call.name == "opendir" and len(call.args) == 2:
        return [f"{_handle(text_of(call.args[0]))}=$(ls {quoted(effects.word(call, 1))})"]
    opened = _opening(effects, call)
    if opened is None:
        return None
    effects.open_as(bind, opened)
    if opened.tool:
        return [_packing(opened, "")] if "w" in (opened.mode or "") and opened.tool in ("tar", "zip") else []
    if opened.reads and _NAME.fullmatch(bind):
        return [f"{bind}=$(cat {quoted(opened.path)})"]  # what is asked of an open file is asked of what it holds
    return [f": > {quoted(opened.path)}"] if (opened.mode or "").startswith("w") else []


def _packing(opened: Opened, members: str) -> str:
    return f"{calls.PACKS[opened.tool]}{quoted(opened.path)}{' ' + members if members else ' .'}"


def _perl_open(effects: Effects, call: Asked) -> list[str]:
    """The forms of Perl's open: a mode of its own, a mode in the name, a pipe from or to a command."""
    handle, mode = text_of(call.args[0]), constant(effects.word(call, 1)) or ""
    if len(call.args) == 2:
        if mode.strip() in _PIPES:  # with no command, it forks
            return []
        marker, target = _in_name(mode, effects.word(call, 1))
    else:
        marker = mode.partition(":")[0].strip()
        target = one([w for a in call.args[2:] for w in many(effects.writer.value(a))])
    if "&" in marker:  # a stream becomes another: what is connected, as far as it is known
        source = (constant(target) or "") if len(call.args) == 2 else text_of(call.args[2])
        return [] if _STANDARD.fullmatch(source) else _shell_over_socket(effects) or []
    if marker in _PIPES:
        line = "".join(piece.text for piece in target)
        return [f"{effects.writer.read.full_name(call.args[0])}=$({line})"] if marker == "-|" else [line]
    effects.open_as(handle, Opened(target, "a" if ">>" in marker else "w" if ">" in marker else "r"))
    if ">" in marker:
        return [] if ">>" in marker else [f": > {quoted(target)}"]
    return [f"{_handle(handle)}=$(cat {quoted(target)})"]


def _in_name(text: str, word: Word) -> tuple[str, Word]:
    """Take the mode off a file's name: `>>log`, `|command`, `command|`, `>&SOCKET`."""
    match = re.match(r"\s*(\+?[<>]{0,2}&?=?|\|)\s*", text)
    if match is None or not text:
        return "", word
    rest = text[match.end() :].strip()
    if rest.endswith("|"):
        return "-|", literal(rest.rstrip("|"))
    return "|-" if match[1] == "|" else match[1], literal(rest)


def _saves(effects: Effects, call: Asked, _: str) -> list[str] | None:
    """Writes a file in one call."""
    where = calls.SAVES.get(call.name)
    if where is not None:
        flags = [text_of(node) for node in (*call.args[2:], *call.named.values())]
        append = any("APPEND" in flag or flag.strip("'\"").startswith("a") for flag in flags)
        return [_written(effects.word(call, where[0]), effects.word(call, where[1]), append)]
    if call.member in ("write_text", "write_bytes") and call.receiver is not None:
        return [_written(effects.writer.word(call.receiver), effects.word(call, 0), False)]
    return None


def _written(path: Word, text: Word, append: bool) -> str:
    return f"printf '%s' {quoted(text)} {'>>' if append else '>'} {quoted(path)}"


def _writes(effects: Effects, call: Asked, _: str) -> list[str] | None:
    """`f.write(x)`, `print $fh x`, `fwrite($f, x)`, `print(x, file=f)`."""
    if call.member not in calls.WRITES:
        return None
    handle, given = _written_to(effects, call)
    opened = effects.held(handle)
    if opened is None or opened.reads:
        return None
    text = joined([effects.writer.word(node) for node in given], " ")
    if opened.tool in ("gzip", "xz", "bzip2"):
        return [f"echo {quoted(text)} | {calls.PACKS[opened.tool]}{quoted(opened.path)}"]
    if opened.changes:  # in its middle, the rest stays
        return [f"printf '%s' {quoted(text)} | dd of={quoted(opened.path)} seek=? conv=notrunc"]
    return [] if opened.tool else [_written(opened.path, text, True)]


def _written_to(effects: Effects, call: Asked) -> tuple[Node | None, tuple[Node, ...]]:
    if call.receiver is not None:
        return call.receiver, call.args
    if "file" in call.named:
        return call.named["file"], call.args
    marked = next((c for c in call.node.named_children if c.type == "indirect_object"), None)
    if marked is not None:
        return marked, call.args
    first = next(iter(call.args), None)
    inner = effects.writer.read.call(first) if first is not None else None
    if inner is not None and inner.name.isupper():  # print FH "text"
        return inner.node.child_by_field_name("function"), inner.args
    return first, call.args[1:]


def _unpacks(effects: Effects, call: Asked, _: str) -> list[str] | None:
    opened = effects.held(call.receiver) if call.receiver is not None else None
    if opened is None or not opened.tool:
        return None
    target = next(iter(call.args), None) or call.named.get("path")
    if call.member in calls.EXTRACTS:
        into = quoted(effects.writer.word(target)) if target is not None else "."
        return [
            f"unzip -o {quoted(opened.path)} -d {into}"
            if opened.tool == "zip"
            else f"tar xf {quoted(opened.path)} -C {into}"
        ]
    if call.member in calls.ADDS and call.args:
        return [_packing(opened, quoted(effects.word(call, 0)))]
    return None


def _connects(effects: Effects, call: Asked, _: str) -> list[str] | None:
    if call.member in ("bind",) or call.name in calls.LISTENS:
        effects.listening = _pair(effects, call)[1]
        return [f"nc -l -p {quoted(effects.listening)}"]
    method = call.member in ("connect", "connect_ex") and call.receiver is not None and call.name not in calls.DATABASES
    if call.name not in calls.CONNECTS and not method:
        return _streams(effects, call)
    effects.peer = _pair(effects, call)
    effects.listening = None
    return [f"nc {quoted(effects.peer[0])} {quoted(effects.peer[1])}"]


def _pair(effects: Effects, call: Asked) -> tuple[Word, Word]:
    """Return host and port: `(h, p)`, `h, p`, `"h:p"`, `PeerAddr => h, PeerPort => p`."""
    word = effects.writer.word
    named = {key: word(node) for key, node in call.named.items()}
    host, port = named.get("PeerAddr") or named.get("PeerHost"), named.get("PeerPort") or named.get("LocalPort")
    if host is None and port is None:
        args = call.args[1:] if call.name == "connect" else call.args  # Perl gives the socket first
        given = [w for a in args for w in many(effects.writer.value(a)) if "socket" not in (constant(w) or "")]
        host, port = (given[0] if given else UNKNOWN), given[1] if len(given) > 1 else None
    match = _ADDRESS.match(constant(host or UNKNOWN) or "")
    if match is not None and port is None:
        return literal(match[1]), literal(match[2])
    return host or UNKNOWN, port or literal("0")


def _streams(effects: Effects, call: Asked) -> list[str] | None:
    """A connection becomes the standard streams, or a terminal is made for it."""
    return _shell_over_socket(effects) or None if call.name in calls.STREAMS else None


def _queries(effects: Effects, call: Asked, bind: str) -> list[str] | None:
    tool = calls.DATABASES.get(call.name)
    if tool is not None:
        effects.database = _database(effects, call, tool)
        return []
    if call.member not in calls.QUERIES:
        return None
    words = [effects.writer.word(a) for a in call.args[:3]]
    sql = next((w for w in words if _SQL.match("".join(piece.text for piece in w))), None)
    held = call.member in _EXECUTES and call.name not in calls.STARTS
    if sql is None and held and words and _VARIABLE.fullmatch("".join(p.text for p in words[0])):
        sql = words[0]  # what it holds is known where it was made
    if sql is None:
        return None
    opened = effects.writer.read.call(call.receiver) if call.receiver is not None else None
    if opened is not None and opened.name in calls.DATABASES:
        effects.database = _database(effects, opened, calls.DATABASES[opened.name])
    line = f"{effects.database} {quoted(sql)}"
    return [f"{bind}=$({line})"] if bind else [line]


def _database(effects: Effects, call: Asked, tool: str) -> str:
    words = [effects.writer.word(a) for a in call.args[:4]]
    named = {key: effects.writer.word(node) for key, node in call.named.items()}
    address = constant(words[0]) if words else None
    found = _SOURCE.search(address or "")
    kind = (address or "").lower()
    tool = tool or ("sqlite3" if "sqlite" in kind else "psql" if "pg" in kind or "postgres" in kind else "mysql")
    if tool == "sqlite3":
        path = literal(found[1] or found[2]) if found else next(iter(words), UNKNOWN)
        return f"sqlite3 {quoted(path)}"
    name = (
        named.get("dbname")
        or named.get("database")
        or named.get("db")
        or (literal(found[1] or found[2]) if found else UNKNOWN)
    )
    host = named.get("host") or literal("localhost")
    return (
        f"{tool} -h {quoted(host)} {'-d' if tool == 'psql' else '-D'} {quoted(name)} {'-c' if tool == 'psql' else '-e'}"
    )


def _fetches(effects: Effects, call: Asked, bind: str) -> list[str] | None:
    if call.name in calls.SENDS:
        return [f"curl -s -d @- {quoted(effects.word(call, 0))}"]
    if call.name not in calls.FETCHES or bind:
        return None
    return [f"curl -s {quoted(effects.word(call, 0))}"]


def _threads(effects: Effects, call: Asked, _: str) -> list[str] | None:
    """`Thread(target=f)`, `Process(target=f)`, `Timer(5, f)`, `atexit.register(f)`: a function runs beside."""
    place = {"start_new_thread": 0, "register": 0, "submit": 0, "Timer": 1}.get(call.member, len(call.args))
    target = call.named.get("target") or (call.args[place] if place < len(call.args) else None)
    name = effects.writer.read.full_name(target).rpartition(".")[2] if target is not None else ""
    if name not in effects.writer.functions:
        return None
    given = call.named.get("args")
    words = many(effects.writer.value(given)) if given is not None else []
    return [" ".join([function_name(name), *map(quoted, words), "&"])]


_EFFECTS: tuple[Callable[[Effects, Asked, str], list[str] | None], ...] = (
    _queries, _runs, _filled, _waits, _saves, _connects, _opens, _writes, _unpacks, _fetches, _threads,
)  # fmt: skip
