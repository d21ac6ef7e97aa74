"""Which programs a shell command line starts, as far as its constant words tell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

MAX_COMMAND = 4096
MAX_STARTED = 20
MAX_DEPTH = 5

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "rbash", "csh", "tcsh", "fish"})
_INTERPRETER = re.compile(r"(python|perl|ruby|node|nodejs|php|lua|tclsh|wish|expect|osascript|pypy)[0-9.]*$")
_KEYWORDS = frozenset({"if", "then", "else", "elif", "while", "until", "do", "!", "{", "}", "fi", "done", "esac"})
_HEADS = frozenset({"for", "case", "select", "function"})  # words up to the separator are no command
_QUIET = frozenset({
    "[", "[[", "test", "cd", "echo", "printf", "true", "false", ":", "export", "set", "unset", "umask", "ulimit",
    "exit", "return", "wait", "read", "trap", "type", "hash", "alias", "unalias", "shift", "local", "declare",
    "typeset", "readonly", "shopt", "setopt", "bind", "complete", "let", "break", "continue", "pushd", "popd",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Wrapper:
    """A command that starts the command in its arguments."""

    valued: str = ""  # one-letter options that take a value
    long_valued: tuple[str, ...] = ()
    positional: int = 0  # words before the command


_WRAPPERS = {
    "busybox": _Wrapper(),
    "caffeinate": _Wrapper("tw"),
    "chpst": _Wrapper("ubeEnl/"),
    "chroot": _Wrapper(positional=1),
    "chrt": _Wrapper("TPD", positional=1),
    "command": _Wrapper(),
    "daemon": _Wrapper("nulF"),
    "daemonize": _Wrapper("abceoplu"),
    "dbus-run-session": _Wrapper(),
    "doas": _Wrapper("uC"),
    "eatmydata": _Wrapper(),
    "env": _Wrapper("uC", ("--unset", "--chdir")),
    "exec": _Wrapper("a"),
    "flock": _Wrapper("wE", ("--timeout", "--wait"), positional=1),
    "ionice": _Wrapper("cnp", ("--class", "--classdata")),
    "linux32": _Wrapper(),
    "linux64": _Wrapper(),
    "nice": _Wrapper("n", ("--adjustment",)),
    "nocache": _Wrapper(),
    "nohup": _Wrapper(),
    "pkexec": _Wrapper(long_valued=("--user",)),
    "runuser": _Wrapper("ugGs", ("--user", "--group", "--shell")),
    "s6-setuidgid": _Wrapper(positional=1),
    "setarch": _Wrapper(positional=1),
    "setsid": _Wrapper(),
    "setuidgid": _Wrapper(positional=1),
    "softlimit": _Wrapper("admsflrcopt"),
    "stdbuf": _Wrapper("ioe"),
    "sudo": _Wrapper("ugCDhpRTtU", ("--user", "--group", "--chdir", "--prompt")),
    "systemd-cat": _Wrapper("tp"),
    "systemd-inhibit": _Wrapper(),
    "systemd-run": _Wrapper("pEuHM", ("--unit", "--property", "--slice", "--on-boot", "--on-active", "--on-calendar")),
    "taskset": _Wrapper(positional=1),
    "time": _Wrapper("fo"),
    "timeout": _Wrapper("ks", ("--signal", "--kill-after"), positional=1),
    "torsocks": _Wrapper(),
    "unshare": _Wrapper(),
    "watch": _Wrapper("n", ("--interval",)),
}


def words_of(command: str) -> list[str]:
    """Split like a shell, operators (`;`, `&&`, `|`, `>`) as own words; unbalanced quotes fall back to spaces."""
    lexer = shlex.shlex(command[:MAX_COMMAND].replace("\n", " ; "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:
        return command[:MAX_COMMAND].replace('"', " ").replace("'", " ").split()


def started(command: str) -> list[str]:
    """Return the words that name the programs started, in order, without repeats (at most 20).

    Wrappers (`env`, `nohup`, `sudo -u x`, `timeout 5`), `sh -c "..."` and interpreters with a script are seen
    through: `nice sh /x.sh` gives `/x.sh`. What a shell does itself (`test`, `cd`, `echo`) starts nothing.
    """
    found: dict[str, None] = {}
    for word in _started(command, 0):
        found[word] = None
        if len(found) >= MAX_STARTED:
            break
    return list(found) or _lone(command)


def _lone(command: str) -> list[str]:
    """Return the first word if it is a path: `/bin/true` alone is a program, though no one's aim."""
    words = _without_prefix(next(_simple_commands(words_of(command)), []))
    return words[:1] if words and words[0].startswith("/") else []


def _started(command: str, depth: int) -> Iterator[str]:
    if depth >= MAX_DEPTH:
        return
    for words in _simple_commands(words_of(command)):
        yield from _program(words, depth)


def _simple_commands(words: list[str]) -> Iterator[list[str]]:
    current: list[str] = []
    skip_next = False
    for word in words:
        if skip_next:
            skip_next = False
        elif word and not word.strip("<>&|;()"):
            if "<" in word or ">" in word:
                skip_next = True
                continue
            yield current
            current = []
        else:
            current.append(word)
    yield current


def _program(words: list[str], depth: int) -> Iterator[str]:
    words = _without_prefix(words)
    if not words:
        return
    name = words[0].rsplit("/", 1)[-1]
    if name in _QUIET or name in _HEADS:
        return
    if name == "eval":
        yield from _started(" ".join(words[1:]), depth + 1)
    elif name in (".", "source"):
        yield from words[1:2]
    elif name == "su" or (name in _SHELLS and _command_option(words)):
        yield from _inner(words, depth)
    elif name == "start-stop-daemon":
        yield from _daemon(words)
    elif name in _WRAPPERS:
        yield from _wrapped(words, name, depth)
    else:
        yield _script_of(words, name) or words[0]


def _without_prefix(words: list[str]) -> list[str]:
    index = 0
    while index < len(words) and (words[index] in _KEYWORDS or _ASSIGNMENT.match(words[index])):
        index += 1
    return words[index:]


def _command_option(words: list[str]) -> int:
    """Return the index of the word after `-c` (also `-lc`), 0 without one."""
    for index, word in enumerate(words[1:-1], 1):
        if word == "--command" or (word.startswith("-") and not word.startswith("--") and word.endswith("c")):
            return index + 1
    return 0


def _inner(words: list[str], depth: int) -> Iterator[str]:
    index = _command_option(words)
    if index:
        yield from _started(words[index], depth + 1)
    else:
        yield words[0]


def _daemon(words: list[str]) -> Iterator[str]:
    for option in ("--startas", "-a", "--exec", "-x"):
        for index, word in enumerate(words[:-1]):
            if word == option:
                yield words[index + 1]
                return
            if word.startswith(option + "="):
                yield word.partition("=")[2]
                return


def _wrapped(words: list[str], name: str, depth: int) -> Iterator[str]:
    wrapper = _WRAPPERS[name]
    index, positional = 1, wrapper.positional
    while index < len(words):
        word = words[index]
        if name == "command" and word in ("-v", "-V"):
            return
        if word in ("-c", "--command") and name in ("flock", "runuser"):
            yield from _started(" ".join(words[index + 1 : index + 2]), depth + 1)
            return
        if word.startswith("-") and len(word) > 1:
            takes_value = (len(word) == 2 and word[1] in wrapper.valued) or word in wrapper.long_valued
            index += 2 if takes_value else 1
        elif _ASSIGNMENT.match(word):
            index += 1
        elif positional:
            positional -= 1
            index += 1
        else:
            break
    rest = words[index:]
    if rest and depth < MAX_DEPTH:
        yield from _program(rest, depth + 1)
    elif not rest:
        yield words[0]


def _script_of(words: list[str], name: str) -> str | None:
    """Return the script an interpreter is given, None where the program is the thing itself."""
    if name in ("java", "javaw") and "-jar" in words[:-1]:
        return words[words.index("-jar") + 1]
    if name not in _SHELLS and not _INTERPRETER.match(name):
        return None
    for word in words[1:]:
        if word in ("-c", "-e", "-m", "-E", "-r", "-s", "-"):
            return None
        if not word.startswith("-") and not word.startswith("+"):
            return word
    return None
