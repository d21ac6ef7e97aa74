"""The `files:` and `packages:` of a rule case -> a tree in memory for the real collectors."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from hinomi.detect import inert
from hinomi.evidence.sources.memory import MemoryFile
from hinomi.model.errors import RuleError

MAX_CONTENT = 64 << 20
_ATTRIBUTES = frozenset({"mode", "uid", "gid", "mtime", "link", "directory", "kind", "repeat", "prefix", "suffix"})
_BUILDERS: dict[str, Callable[..., bytes]] = {"elf": inert.elf, "pe": inert.pe, "macho": inert.macho}
_KINDS = frozenset({"file", "directory", "symlink", "fifo", "socket", "block-device", "character-device"})


def build_tree(
    files: Mapping[str, Any], packages: Mapping[str, Any] | None = None, *, upper: bool = False
) -> dict[str, MemoryFile]:
    """Return the tree of a case; `upper` turns text and string contents (never paths) to upper case.

    `RuleError` names the path whose description is wrong.
    """
    tree = {}
    for path, content in files.items():
        if not isinstance(path, str) or not path.startswith("/"):
            raise RuleError("rule.case", cause=f"a path must begin with '/': {path!r}")
        try:
            tree[path] = _file(content, upper)
        except (TypeError, ValueError, KeyError, OverflowError) as error:
            raise RuleError("rule.case", cause=f"{path}: {error}") from error
    return tree | _package_database(packages or {}, tree)


def _file(content: Any, upper: bool) -> MemoryFile:
    if isinstance(content, str):
        content = {"text": content}
    if not isinstance(content, Mapping):
        raise TypeError("a file is a text or a mapping")
    attributes: dict[str, Any] = {"mode": _mode(content.get("mode"))}
    attributes |= {key: int(content[key]) for key in ("uid", "gid") if key in content}
    if "mtime" in content:
        attributes["mtime"] = _time(content["mtime"])
    if "link" in content:
        return MemoryFile(link=str(content["link"]).encode(), **attributes)
    if content.get("directory"):
        return MemoryFile(kind="directory", **attributes)
    if content.get("kind", "file") not in _KINDS:
        raise ValueError(f"unknown kind {content['kind']!r}")
    data = _content({k: v for k, v in content.items() if k not in _ATTRIBUTES}, upper)
    repeat = int(content.get("repeat", 1))
    if len(data) * repeat > MAX_CONTENT:
        raise ValueError("more than 64 MiB")
    data = str(content.get("prefix", "")).encode() + data * repeat + str(content.get("suffix", "")).encode()
    return MemoryFile(data=data, kind=content.get("kind", "file"), **attributes)


def _content(body: Mapping[str, Any], upper: bool) -> bytes:
    if not body:
        return b""
    if len(body) > 1:
        raise ValueError(f"one content only, not {', '.join(sorted(body))}")
    kind, value = next(iter(body.items()))
    if kind == "text":
        return str(value.upper() if upper else value).encode("utf-8", "surrogateescape")
    if kind == "hex":
        return bytes.fromhex(value)
    if kind == "base64":
        return _base64(value)
    if kind == "zip":
        return _zip(value, upper)
    if kind in _BUILDERS:
        return _program(_BUILDERS[kind], value or {}, upper)
    raise ValueError(f"unknown content {kind!r}")


def _base64(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _program(builder: Callable[..., bytes], options: Mapping[str, Any], upper: bool) -> bytes:
    values = dict(options)
    if upper:
        values["strings"] = [s.upper() for s in values.get("strings", [])]
    if "overlay" in values:
        values["overlay"] = str(values["overlay"]).encode()
    return builder(values.pop("strings", []), **values)


def _zip(members: Mapping[str, Any], upper: bool) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), _file(content, upper).data)
    return out.getvalue()


def _mode(value: Any) -> int | None:
    return int(value, 8) if isinstance(value, str) else value if value is None else int(value)


def _time(value: Any) -> float:
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _package_database(packages: Mapping[str, Any], tree: Mapping[str, MemoryFile]) -> dict[str, MemoryFile]:
    """Return dpkg's files for packages that own files of the tree; `modified` ones get another digest."""
    status, result = "", {}
    for name, package in packages.items():
        owned = [*package.get("files", []), *package.get("modified", [])]
        status += (
            f"Package: {name}\nStatus: install ok installed\nMaintainer: Nobody <nobody@example.org>\n"
            f"Architecture: amd64\nVersion: {package.get('version', '1.0-1')}\nDescription: {name}\n\n"
        )
        result[f"/var/lib/dpkg/info/{name}.list"] = MemoryFile("".join(f"{path}\n" for path in ["/.", *owned]).encode())
        sums = "".join(f"{_md5(tree, path, package)}  {path.lstrip('/')}\n" for path in owned)
        result[f"/var/lib/dpkg/info/{name}.md5sums"] = MemoryFile(sums.encode())
    if packages:
        result["/var/lib/dpkg/status"] = MemoryFile(status.encode())
    return result


def _md5(tree: Mapping[str, MemoryFile], path: str, package: Mapping[str, Any]) -> str:
    data = tree[path].data if path in tree else b""
    changed = b"\0" if path in package.get("modified", []) else b""
    return hashlib.md5(data + changed, usedforsecurity=False).hexdigest()
