"""Method calls: .NET's downloads, decoding, reflection, processes, and what strings do to themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hinomi.evidence.scripts.powershell.expressions import arguments, decoded, evaluate, inflated, replaced, text_from
from hinomi.evidence.scripts.powershell.state import Datum, State, one
from hinomi.evidence.scripts.syntax import text_of
from hinomi.evidence.scripts.values import Source, Value, unknown

if TYPE_CHECKING:
    from tree_sitter import Node

_CODECS = {
    "utf8": "utf-8",
    "unicode": "utf-16-le",
    "ascii": "ascii",
    "default": "latin-1",
    "bigendianunicode": "utf-16-be",
    "utf32": "utf-32-le",
}
_DOWNLOADS = frozenset(
    {"downloadstring", "downloaddata", "getstringasync", "getbytearrayasync", "openread", "getresponse", "getasync"}
)
_UPLOADS = frozenset({"uploadfile", "uploadstring", "uploaddata", "uploadvalues", "postasync", "putasync"})


def invoke(state: State, node: Node) -> Datum:
    """Return what a method call gives, and record what it does."""
    return invoke_with(state, node, arguments(state, node))


def invoke_with(state: State, node: Node, args: tuple[Value, ...]) -> Datum:
    """The same with the arguments known: in a command's words they stand beside the member."""
    name = _name(node)
    target = node.children[0] if node.children else node
    kind = text_of(target).strip("[]() ").lower() if target.type in ("type_literal", "member_access") else ""
    subject: Datum = Value("") if target.type == "type_literal" else evaluate(state, target)
    for handle in (_text, _decoding, _network, _running, _files):
        made = handle(state, node, name, kind, subject, args)
        if made is not None:
            return made
    source = one(subject).source or next((a.source for a in args if a.source is not None), None)
    return unknown(text_of(node)[:200], source)


def _name(node: Node) -> str:
    member = next((c for c in node.named_children if c.type == "member_name"), None)
    return text_of(member).strip("'\"").lower() if member is not None else ""


def _text(_: State, __: Node, name: str, kind: str, subject: Datum, args: tuple[Value, ...]) -> Datum | None:
    value = one(subject)
    if name == "replace" and len(args) == 2:
        return replaced(value, args[0].text.replace("\\", "\\\\"), args[1].text)
    if (
        name in ("tostring", "trim", "invoke", "getenumerator", "trimend", "trimstart")
        and value.constant
        and value.text
        and not args
    ):
        return value
    if name in ("tolower", "toupper") and value.constant:
        return Value(value.text.lower() if name == "tolower" else value.text.upper(), True, value.source)
    if name == "substring" and value.constant and args and all(a.text.isdigit() and len(a.text) < 8 for a in args):
        start = int(args[0].text)
        return Value(
            value.text[start : start + int(args[1].text)] if len(args) > 1 else value.text[start:], True, value.source
        )
    if name == "tochararray" and value.constant:
        return tuple(Value(c) for c in value.text[:4096])
    if name == "split" and value.constant and args and args[0].text:
        return tuple(Value(t) for t in value.text.split(args[0].text)[:1024])
    if name in ("join", "concat") and "string" in kind and args:
        return _joined(name, args)
    return None


def _joined(name: str, args: tuple[Value, ...]) -> Value:
    words = args if name == "concat" else args[1:]
    return Value((args[0].text if name == "join" else "").join(w.text for w in words), all(a.constant for a in args))


def _decoding(state: State, node: Node, name: str, kind: str, subject: Datum, args: tuple[Value, ...]) -> Datum | None:
    if name in ("frombase64string", "fromhexstring") and args:
        encoding = "base64" if "base64" in name else "hex"
        state.emit("decodes", state.line(node), text_of(node), args[0].text[:500], encoding)
        made = decoded(args[0], encoding) if args[0].constant else None
        return (
            made if made is not None else unknown(text_of(node)[:200], Source("decoded", args[0].text[:200], encoding))
        )
    if name == "getstring" and args:
        codec = next((c for word, c in _CODECS.items() if word in kind.rsplit("::", 1)[-1]), "utf-8")
        return text_from(args[0], codec) if args[0].constant else unknown(text_of(node)[:200], args[0].source)
    if (
        name == "new"
        and any(word in kind for word in ("gzipstream", "deflatestream", "memorystream", "streamreader"))
        and args
    ):
        return inflated(args[0]) if "zip" in kind or "deflate" in kind else args[0]
    if name in ("readtoend", "toarray") and one(subject).source is not None:
        return one(subject)
    return None


def _network(state: State, node: Node, name: str, kind: str, subject: Datum, args: tuple[Value, ...]) -> Datum | None:
    line, text = state.line(node), text_of(node)[:500]
    url = args[0] if args else None
    if name in _DOWNLOADS:
        state.emit("downloads", line, text, url)
        return unknown(text[:200], Source("download", url.text if url is not None else None, name))
    if name == "downloadfile" and len(args) > 1:
        state.emit("downloads", line, text, url, args[1])
        state.made[args[1].text.lower()] = unknown("$(download)", Source("download", args[0].text, name))
        return Value("")
    if name in _UPLOADS:
        state.emit("uploads", line, text, url, args[-1] if len(args) > 1 else None)
        return unknown(text[:200], Source("download", url.text if url is not None else None, name))
    if name in ("connect", "connectasync") or (
        name == "new" and ("tcpclient" in kind or "udpclient" in kind) and len(args) > 1
    ):
        state.emit("connects", line, text, ":".join(a.text for a in args[:2]), kind or "TCPClient")
        return unknown(text[:200], Source("download", args[0].text if args else None, "socket"))
    return None


def _running(state: State, node: Node, name: str, kind: str, subject: Datum, args: tuple[Value, ...]) -> Datum | None:
    line, text = state.line(node), text_of(node)[:500]
    if name in ("load", "loadfile", "loadfrom", "unsafeloadfrom") and "assembly" in kind + text.lower()[:60]:
        origin = args[0].source.kind if args and args[0].has("download", "decoded") and args[0].source else "variable"
        state.emit("executes-code", line, text, origin if not args or name == "load" else "file", "Assembly.Load")
        return unknown(text[:200])
    if name == "start" and "process" in kind and args:
        state.emit("starts", line, text, args[0], args[1] if len(args) > 1 else None)
        return Value("")
    if name in ("create", "invokescript") and ("scriptblock" in kind or name == "invokescript") and args:
        return args[0]
    if name == "getprocessesbyname" and args:
        state.emit("checks-running", line, text, args[0], "GetProcessesByName")
        return unknown(text[:200], Source("process", args[0].text, "GetProcessesByName"))
    if name == "kill" and one(subject).has("process"):
        source = one(subject).source
        state.emit("kills", line, text, source.object if source is not None else None, "Kill")
        return Value("")
    return None


def _files(state: State, node: Node, name: str, kind: str, subject: Datum, args: tuple[Value, ...]) -> Datum | None:
    line, text = state.line(node), text_of(node)[:500]
    if name in ("writeallbytes", "writealltext", "appendalltext", "writealllines") and len(args) > 1:
        state.emit("writes", line, text, args[0], args[1])
        state.made[args[0].text.lower()] = args[1]
        return Value("")
    if name in ("exists",) and ("file" in kind or "directory" in kind) and args:
        state.emit("checks-exists", line, text, args[0], "Exists")
        return unknown(text[:200], Source("exists", args[0].text))
    if name in ("readallbytes", "readalltext") and args:
        return state.made.get(args[0].text.lower()) or unknown(text[:200], Source("file", args[0].text))
    if name == "extracttodirectory" and args:
        state.emit("unpacks", line, text, args[0], args[1] if len(args) > 1 else None)
        return Value("")
    if name == "copyfromscreen":
        state.emit("collects", line, text, "screen", "CopyFromScreen")
        return Value("")
    if name in ("setvalue",) and args:
        state.emit("persists" if "run" in text.lower() else "writes", line, text, args[0], args[-1])
        return Value("")
    return None


__all__ = ["invoke", "invoke_with"]
