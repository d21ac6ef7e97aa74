"""Is this a script, and in which language? By #! line, by the look of the first lines, then by the name."""

from __future__ import annotations

import re
from typing import Literal

Language = Literal["shell", "powershell", "javascript", "python", "perl", "php", "ruby", "lua", "batch"]
REWRITTEN: frozenset[Language] = frozenset(("python", "perl", "php", "ruby", "lua"))  # read as shell: `rewritten`
_SHELLS = frozenset(
    "sh bash dash ash ksh zsh mksh rbash ksh93 pdksh posh busybox lksh yash openrc-run runscript"
    " rc.common hush msh".split()
)
_SCRIPTS = frozenset("node nodejs deno bun".split())
_NAMES = frozenset(
    b".bashrc .bash_profile .bash_login .bash_logout .profile .zshrc .zprofile .zshenv .zlogin .kshrc .mkshrc .shrc"
    b" .xinitrc .xsession .xprofile"
    b" profile bashrc bash.bashrc zshrc zprofile rc.local rc.sysinit rc.firewall rc.inet1 rc rcs rc.modules"
    b" postinst preinst postrm prerm".split()
)
_SHELL_SUFFIXES = (
    b".sh",
    b".bash",
    b".ksh",
    b".zsh",
    b".postinst",
    b".preinst",
    b".postrm",
    b".prerm",
    b".ash",
    b".dash",
)
_POWERSHELL_SUFFIXES = (b".ps1", b".psm1")
_JAVASCRIPT_SUFFIXES = (b".js", b".cjs", b".mjs")
_BATCH_SUFFIXES = (b".bat", b".cmd")
_REWRITTEN_SUFFIXES: dict[bytes, Language] = {
    b".py": "python", b".pyw": "python", b".pl": "perl", b".cgi": "perl", b".php": "php", b".phtml": "php",
    b".php5": "php", b".php7": "php", b".inc": "php", b".rb": "ruby", b".lua": "lua",
}  # fmt: skip
_LIBRARIES = re.compile(
    rb"/(?:site|dist)-packages/|/lib(?:64)?/(?:python|ruby|perl|lua|luajit)|/share/(?:perl|ruby|lua|python|php)"
    rb"|/gems/|/vendor/(?:bundle|composer)/|/(?:venv|\.venv|node_modules)/|/perl5/"
)
_INTERPRETERS: tuple[tuple[str, Language], ...] = (
    ("python", "python"), ("pypy", "python"), ("perl", "perl"), ("php", "php"), ("ruby", "ruby"), ("lua", "lua"),
)  # fmt: skip
_BY_SUFFIX: dict[bytes, Language] = {
    **dict.fromkeys(_SHELL_SUFFIXES, "shell"),
    **dict.fromkeys(_POWERSHELL_SUFFIXES, "powershell"),
    **dict.fromkeys(_JAVASCRIPT_SUFFIXES, "javascript"),
    **dict.fromkeys(_BATCH_SUFFIXES, "batch"),
}
_INIT_FOLDER = re.compile(rb"/(?:init|rc|profile|if-up|dispatcher|local|rcS)\.d/|/rc\.local")
_STATEMENT = re.compile(
    rb"(?:if|while|until|elif)[ \t]+[\[!(\w/\"$]|for[ \t]+(?:\w+[ \t]+in[ \t]|\(\()"
    rb"|case[ \t]+\S+[ \t]+in\b|\[\[? |(?:fi|done|esac|then|do|else)\b"
    rb"|(?:export|local|readonly|declare|unset|alias)[ \t]+\w+|\w+ ?\(\)[ \t]*\{?$"
    rb"|function[ \t]+\w+[ \t]*(?:\(\))?[ \t]*\{"
    rb"|(?:echo|printf|sleep|cd|cp|mv|rm|mkdir|chmod|chown|mount|umount|nohup|setsid|exec|eval|source|test"
    rb"|touch|set|sh|bash|cat|tar|gzip|grep|sed"
    rb"|kill|killall|ln|ifconfig|ip|insmod|modprobe|wget|curl|nc|exit|return"
    rb"|shift|trap|read|useradd|iptables|busybox|sudo|nice)(?:[ \t;]|$)"
    rb"|[A-Za-z_]\w*=(?:[^= \t;]|$)|/[\w./-]+(?:[ \t]|$)|\.{1,2}/[\w./-]+|\. /|[{}]$|\$\w+|\(.*&\)?$|: "
)
_FOREIGN = re.compile(
    rb"//|/\*|\*[ /]|#[ \t]*(?:include|ifndef|ifdef|define|pragma|if|endif)\b|<"
    rb"|\w+:$|[\w.%-]+[ \t]*:[ \t=]|import |from |use |package |class |def |proc |%|@"
    rb"|.*[^;];$|.*\}[ \t]*;$|xkb_|\w+[ \t]+=[ \t]"
)
_STRONG = re.compile(
    rb"\$\(|\|\||&&|[ \t]>/|>/dev/null|[^&]&[ \t]*$|`|^[ \t]*(?:fi|done|esac)\b"
    rb"|[;&|][ \t]*(?:then|do)\b|\$\{?\w+|\[ -[a-z] ",
    re.MULTILINE,
)
_CPP = (b"#include", b"#ifndef", b"#ifdef", b"#define", b"#pragma", b"#if ")
_JS_STARTS = (b"child_process", b"WScript.Shell", b"ActiveXObject")
_JS_EVALUATES = (b"eval(", b"new Function(", b"runInNewContext", b"runInThisContext")
_JS_DECODES = (b"Buffer.from(", b"atob(", b"fromCharCode", b"unescape(", b"\\x6")
_JS_UNPACKS = (b"Buffer.from(", b"atob(")  # what is evaluated may stand whole in the file, names and all
_JS_FETCHES = (b"http", b"fetch(", b"axios", b"XMLHttpRequest")
_JS_CALLS = (b"https.get", b"http.get", b"https.request", b"http.request", b"fetch(", b"axios")
_JS_WRITES = (b"writeFile", b"createWriteStream")


def interpreter_of(head: bytes) -> str | None:
    """Return the interpreter of a #! line, as written."""
    if not head.startswith(b"#!"):
        return None
    words = head[2:].split(b"\n", 1)[0].split()
    if words and words[0].endswith(b"/env"):
        words = [w for w in words[1:] if not w.startswith(b"-") and b"=" not in w]
    return words[0].decode("utf-8", "replace")[:200] if words else None


def language_of(path: bytes, head: bytes) -> Language | None:
    """Return the script's language, None for anything else."""
    name = path[path.rfind(b"/") + 1 :].lower()
    interpreter = interpreter_of(head) if head[:2] == b"#!" else None
    if interpreter is not None:
        return language_of_interpreter(interpreter)
    suffix = name[max(0, name.rfind(b".")) :]
    if suffix in _REWRITTEN_SUFFIXES:
        return _by_name(path, suffix, head)
    known = _BY_SUFFIX.get(suffix)
    if known in ("javascript", "powershell"):
        return known
    if known == "batch":
        return known if _is_text(head) else None
    if name == b"package.json":
        return "javascript"
    if known is None and name not in _NAMES and (b"." in name[1:] and not _in_init_folder(path)):
        return None
    if b"\x00" in head[:512] and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    if known is not None or name in _NAMES:
        return "shell"
    return "shell" if not name.startswith(b"makefile") and looks_like_shell(head) else None


def _by_name(path: bytes, suffix: bytes, head: bytes) -> Language | None:
    """Programs by their suffix, but for the libraries of an interpreter; some by what they begin with as well."""
    if _LIBRARIES.search(path) or b"\x00" in head[:512]:
        return None
    language = _REWRITTEN_SUFFIXES[suffix]
    return None if suffix in (b".inc", b".cgi") and b"<?" not in head[:512] else language


def _in_init_folder(path: bytes) -> bool:
    return (b".d/" in path or b"/rc.local" in path) and _INIT_FOLDER.search(path) is not None


def _is_text(head: bytes) -> bool:
    """Whether a beginning is text: .cmd and .com are names of programs and data too."""
    return head[:2] in (b"\xff\xfe", b"\xfe\xff") or (b"\x00" not in head[:512] and head[:2] != b"MZ")


def guessed(path: bytes, head: bytes) -> bool:
    """Tell whether only the content made it a script: such a file is dropped when it does not parse."""
    name = path.rsplit(b"/", 1)[-1].lower()
    suffixes = (*_SHELL_SUFFIXES, *_POWERSHELL_SUFFIXES, *_JAVASCRIPT_SUFFIXES, *_BATCH_SUFFIXES, *_REWRITTEN_SUFFIXES)
    known = name in _NAMES or name.endswith(suffixes)
    return interpreter_of(head) is None and not known and name != b"package.json"


def language_of_interpreter(interpreter: str) -> Language | None:
    """Return the language that a program of this name or path reads."""
    program = interpreter.rsplit("/", 1)[-1]
    if program in _SHELLS:
        return "shell"
    if program in _SCRIPTS:
        return "javascript"
    if program.startswith("pwsh") or program == "powershell":
        return "powershell"
    return next((language for word, language in _INTERPRETERS if program.startswith(word)), None)


def looks_like_shell(head: bytes) -> bool:
    """Tell whether text without a #! line reads like shell: most lines begin as its statements do."""
    text = head[:2048]
    if not text or text[:1] in b"<{%\x7f" or b"\x00" in text or not _STRONG.search(text):
        return False
    lines = [line.strip() for line in text.split(b"\n")[:60]]
    lines = [line for line in lines if line and (not line.startswith(b"#") or line.startswith(_CPP))]
    good = sum(1 for line in lines if _STATEMENT.match(line))
    foreign = sum(1 for line in lines if _FOREIGN.match(line))
    return good * 2 >= len(lines) and good > 0 and foreign * 8 <= len(lines)


def dangerous_js(data: bytes) -> bool:
    """Tell whether JavaScript could start a program, evaluate fetched or decoded text, or save what it fetches.

    Cheap substring tests: most of node_modules fails them and is never parsed.
    """

    def has(tokens: tuple[bytes, ...]) -> bool:
        return any(token in data for token in tokens)

    if has(_JS_STARTS):
        return True
    if has(_JS_EVALUATES) and (has(_JS_UNPACKS) or (has(_JS_DECODES) and has((*_JS_FETCHES, b"require(")))):
        return True
    return has(_JS_CALLS) and has(_JS_WRITES)
