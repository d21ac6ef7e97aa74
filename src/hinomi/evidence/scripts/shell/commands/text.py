"""Commands that make or change text: constants go through them."""

from __future__ import annotations

import base64
import binascii
import codecs
import posixpath

from hinomi.evidence.scripts.escapes import c_escapes
from hinomi.evidence.scripts.shell.arithmetic import evaluate
from hinomi.evidence.scripts.shell.commands.processes import incoming
from hinomi.evidence.scripts.shell.conditions import TRUE, constant
from hinomi.evidence.scripts.shell.core import Call, Machine, Result
from hinomi.evidence.scripts.shell.registry import handles
from hinomi.evidence.scripts.shell.simple import again
from hinomi.evidence.scripts.values import MAX_TEXT, Condition, Source, Value, joined, unknown


@handles("echo", "print")
def echo(_: Machine, call: Call) -> Result:
    """Its words, escapes resolved with -e."""
    words = list(call.args)
    escapes = False
    while words and words[0].text in ("-n", "-e", "-E", "-ne", "-en", "-nE"):
        escapes |= "e" in words.pop(0).text
    value = joined(words, " ") if words else Value("")
    text = c_escapes(value.text) if escapes else value.text
    return Result(Value(text, value.constant, value.source), TRUE)


@handles("printf")
def printf(_: Machine, call: Call) -> Result:
    """`%s`, `%d`, `%b`, `%c` filled in, the format reused as in the standard."""
    words = list(call.args)
    if words and words[0].text == "-v":
        words = words[2:]
    if not words:
        return Result(conditions=TRUE)
    value = joined(words, " ")
    text = _formatted(c_escapes(words[0].text), [w.text for w in words[1:]])
    return Result(Value(text, value.constant, value.source), TRUE)


def _formatted(form: str, words: list[str]) -> str:
    pieces = form.replace("%%", "\x00").split("%")
    if len(pieces) == 1:
        return form.replace("%%", "%")
    out: list[str] = []
    rest = list(words[:500])
    while True:
        out.append(pieces[0])
        for piece in pieces[1:]:
            body = piece.lstrip("-+ #0123456789.")
            word = rest.pop(0) if rest else ""
            out.append((c_escapes(word) if body[:1] == "b" else word) + body[1:])
        if not rest or sum(map(len, out)) > MAX_TEXT:
            return "".join(out).replace("\x00", "%")


@handles("true", ":")
def true(_: Machine, call: Call) -> Result:
    """Always 0."""
    return Result(conditions=constant(True, call.text[:80]))


@handles("false")
def false(_: Machine, call: Call) -> Result:
    """Always 1."""
    return Result(conditions=constant(False, call.text[:80]))


@handles("dirname")
def dirname(machine: Machine, call: Call) -> Result:
    """Of a constant."""
    words = call.operands()
    if not words or not words[0].constant:
        return _unknown(call)
    return Result(Value(posixpath.dirname(words[0].text.rstrip("/")) or "."), TRUE)


@handles("basename")
def basename(_: Machine, call: Call) -> Result:
    """Of a constant, a suffix taken off."""
    words = call.operands("-s")
    if not words or not words[0].constant:
        return _unknown(call)
    name = posixpath.basename(words[0].text.rstrip("/"))
    return Result(Value(name.removesuffix(words[1].text) if len(words) > 1 and words[1].text != name else name), TRUE)


def _unknown(call: Call) -> Result:
    source = next(
        (a.source for a in call.args if a.source is not None), call.stdin.source if call.stdin is not None else None
    )
    return Result(unknown(f"$({call.text[:200]})", source))


@handles("pwd")
def pwd(machine: Machine, _: Call) -> Result:
    """The folder, where known."""
    return Result(Value(machine.env.cwd) if machine.env.cwd else unknown("$(pwd)"), TRUE)


@handles("which", "command", "type", "whence")
def which(machine: Machine, call: Call) -> Result:
    """`command -v x` gives the program; `command x` runs it."""
    words = call.operands()
    if call.name == "command" and not call.flag("v") and not call.flag("V") and call.args:
        return again(machine, call, words)
    found = words[0] if words else Value("")
    return Result(Value(found.text, found.constant), (Condition("other", found.known, call.text[:200]),))


@handles("expr")
def expr(machine: Machine, call: Call) -> Result:
    """Arithmetic on constants."""
    number = (
        evaluate(" ".join(a.text for a in call.args), lambda _: None) if all(a.constant for a in call.args) else None
    )
    return Result(Value(str(number)), constant(number != 0)) if number is not None else _unknown(call)


@handles("seq")
def seq(_: Machine, call: Call) -> Result:
    """A short list is a constant."""
    numbers = [a.text for a in call.operands("-s", "-w", "-f")]
    if not numbers or not all(n.isdigit() and len(n) < 9 for n in numbers):
        return _unknown(call)
    first, last = (int(numbers[0]), int(numbers[-1])) if len(numbers) > 1 else (1, int(numbers[0]))
    if last - first > 64:
        return Result(unknown(f"$({call.text})"))
    return Result(Value("\n".join(str(n) for n in range(first, last + 1))))


@handles("base64", "b64decode", "basenc")
def base64_text(machine: Machine, call: Call) -> Result:
    """Constant text is decoded; anything else is marked as decoded."""
    if not call.flag("d", "--decode") and not call.flag("D") and call.name != "b64decode":
        return Result(
            unknown(f"$({call.text[:200]})", Source("encoded", call.stdin.text[:200] if call.stdin else None, "base64"))
        )
    return _decoded(machine, call, "base64", _from_base64)


def _from_base64(text: str) -> bytes:
    body = "".join(text.split())
    return base64.b64decode(body + "=" * (-len(body) % 4))


def _from_hex(text: str) -> bytes:
    return bytes.fromhex("".join(text.split()).replace("\\x", "").removeprefix("0x"))


def _decoded(machine: Machine, call: Call, encoding: str, decode: object) -> Result:
    files = [w for w in call.operands("-i", "-w", "-in", "-out", "-l", "-s") if w.text not in ("-", "base64", "enc")]
    data = incoming(machine, call, files)
    text = data.text if data is not None else ""
    target = next((r.target.text for r in call.redirects if ">" in r.operator), None)
    machine.emit(
        call, "decodes", text[:500] if data is not None else None, f"{encoding} {target}" if target else encoding
    )
    source = Source("decoded", text[:200], encoding)
    if data is not None and data.has("request") and data.source is not None:
        source = data.source  # who asked decides, however it was wrapped
    if data is None or not data.constant or not callable(decode):
        return Result(unknown(f"$({call.text[:200]})", source))
    try:
        plain = decode(text)
    except (ValueError, binascii.Error):
        return Result(unknown(f"$({call.text[:200]})", source))
    return Result(Value(plain.decode("utf-8", "surrogateescape")[:MAX_TEXT], True, source))


@handles("xxd", "hexdump", "unhex")
def xxd(machine: Machine, call: Call) -> Result:
    """`xxd -r -p` decodes; `xxd -r - file` patches."""
    if not call.flag("r", "--revert") and call.name != "unhex":
        return _unknown(call)
    words = [w for w in call.operands("-s", "-l", "-c", "-g") if w.text != "-"]
    if words and not call.flag("p", "-ps") and (len(words) > 1 or call.stdin is not None):
        machine.emit_path(call, "patches-binary", words[-1], (call.stdin or Value("xxd -r")).text)
        return Result()
    return _decoded(machine, call, "hex", _from_hex)


@handles("rev")
def rev(_: Machine, call: Call) -> Result:
    """Turns lines round."""
    data = call.stdin
    if data is None or not data.constant:
        return _unknown(call)
    return Result(
        Value(
            "\n".join(line[::-1] for line in data.text.split("\n")),
            True,
            data.source or Source("decoded", data.text[:200], "rev"),
        )
    )


@handles("tr")
def tr(machine: Machine, call: Call) -> Result:
    """Translate or delete characters of a constant; rot13 counts as decoding."""
    data, words = call.stdin, [w.text for w in call.operands()]
    if data is None or not data.constant or not words:
        return _unknown(call)
    first = _set(words[0])
    if call.flag("d"):
        return Result(Value("".join(c for c in data.text if c not in first), True, data.source))
    if len(words) < 2 or call.flag("c") or call.flag("s"):
        return _unknown(call)
    second = _set(words[1])
    if not second:
        return _unknown(call)
    table = {ord(a): second[min(i, len(second) - 1)] for i, a in enumerate(first)}
    rotated = len(first) >= 52 and data.source is None
    return Result(
        Value(data.text.translate(table), True, Source("decoded", data.text[:200], "tr") if rotated else data.source)
    )


def _set(text: str) -> str:
    """Expand `a-z` and escapes."""
    text = c_escapes(text)
    out: list[str] = []
    index = 0
    while index < len(text):
        if text[index + 1 : index + 2] == "-" and index + 2 < len(text):
            low, high = ord(text[index]), ord(text[index + 2])
            out.extend(chr(c) for c in range(low, min(high, low + 256) + 1))
            index += 3
        else:
            out.append(text[index])
            index += 1
    return "".join(out)


def rot13(text: str) -> str:
    """Return rot13."""
    return codecs.encode(text, "rot13")
