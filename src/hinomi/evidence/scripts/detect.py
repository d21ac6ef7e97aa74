"""Is this a script, and in which language? By #! line, by the look of the first lines, then by the name."""

from __future__ import annotations

import re
from typing import Literal

Language = Literal["shell", "powershell", "javascript"]
_SHELLS = frozenset(
    "sh bash dash ash ksh zsh mksh rbash ksh93 pdksh posh busybox lksh yash openrc-run runscript rc.common hush msh".split()
)
_SCRIPTS = frozenset("node nodejs deno bun".split())
_NAMES = frozenset(
    b".bashrc .bash_profile .bash_login .bash_logout .profile .zshrc .zprofile .zshenv .zlogin .kshrc .mkshrc .shrc .xinitrc .xsession .xprofile"
    b" profile bashrc bash.bashrc zshrc zprofile rc.local rc.sysinit rc.firewall rc.inet1 rc rcs rc.modules postinst preinst postrm prerm".split()
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
_INIT_FOLDERS = (
    b"/init.d/",
    b"/rc.d/",
    b"/profile.d/",
    b"/rc.local",
    b"/if-up.d/",
    b"/dispatcher.d/",
    b"/local.d/",
    b"/rcS.d/",
)
_STARTS = re.compile(
    rb"^[ \t]*(?:(?:if|while|until)[ \t]+[\[!(\w]|for[ \t]+\w+[ \t]+in[ \t]|case[ \t]+\S+[ \t]+in|\[ |(?:export|local|readonly)[ \t]+\w+=|\w+\(\)[ \t]*\{?"
    rb"|(?:echo|sleep|cd|cp|mv|rm|mkdir|chmod|mount|nohup|exec|source|test|touch|set -[a-z]+|sh|bash)[ \t]|[A-Z_][A-Z0-9_]*=|/[\w./-]+(?:[ \t]|$)|\. /)",
    re.MULTILINE,
)
_CLOSES = re.compile(
    rb"^[ \t]*(?:fi|done|esac|then|do|else)\b|[;&|][ \t]*(?:then|do)\b|\$\(|\|\||&&|>/dev/null|&[ \t]*$", re.MULTILINE
)
_JS_TOKENS = (
    b"child_process", b"execSync", b"spawnSync", b".exec(", b".spawn(", b"writeFile", b"https.get", b"http.get", b"eval(", b"new Function(",
    b"Buffer.from(", b"WScript.Shell", b"ActiveXObject", b"fromCharCode", b"createWriteStream",
)  # fmt: skip


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
    name = path.rsplit(b"/", 1)[-1].lower()
    interpreter = interpreter_of(head)
    if interpreter is not None:
        return _by_interpreter(interpreter, name)
    if name == b"package.json" or name.endswith((b".js", b".cjs", b".mjs")):
        return "javascript"
    if name.endswith(_POWERSHELL_SUFFIXES):
        return "powershell"
    if b"\x00" in head[:512] and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    if name in _NAMES or name.endswith(_SHELL_SUFFIXES):
        return "shell"
    looks = any(folder in path for folder in _INIT_FOLDERS) or (b"." not in name and len(head) > 0)
    return "shell" if looks and looks_like_shell(head) else None


def _by_interpreter(interpreter: str, name: bytes) -> Language | None:
    program = interpreter.rsplit("/", 1)[-1]
    if program in _SHELLS:
        return "shell"
    if program in _SCRIPTS:
        return "javascript"
    if program.startswith("pwsh") or program == "powershell":
        return "powershell"
    return None


def looks_like_shell(head: bytes) -> bool:
    """Tell whether text without a #! line reads like shell: statements at line starts and shell's own punctuation."""
    text = head[:2048]
    if not text or text[:1] in b"<{%\x7f" or b"\x00" in text:
        return False
    lines = [line for line in text.split(b"\n") if line.strip() and not line.lstrip().startswith(b"#")]
    if not lines:
        return False
    starts = len(_STARTS.findall(b"\n".join(lines)))
    return starts * 3 >= len(lines) and bool(_CLOSES.search(text)) or (starts * 2 >= len(lines) and starts >= 2)


def dangerous_js(data: bytes) -> bool:
    """Tell whether JavaScript names anything this analysis would record; most of node_modules does not."""
    return any(token in data for token in _JS_TOKENS)
