"""A baseline as one file that is signed over a digest of everything.

    HINOMI-BASELINE 1\\n
    length (8 bytes, big endian) and manifest: JSON with sequence number, digest of the predecessor, and size and
        SHA-256 of every part
    length and seal: JSON (see `hinomi.watch.signing`), over the manifest's bytes
    the parts, one after the other: `entries` and `stamps` (Arrow IPC, zstd), `packages` (JSON)

The seal stands before the parts, so that a cut file can still be told from a changed one.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from hinomi.model.errors import HinomiError
from hinomi.watch.signing import Seal, SealError, Signer, Trust, seal_from

MAGIC = b"HINOMI-BASELINE 1\n"
PURPOSE = "baseline"
SCHEMA_NAME = "hinomi.baseline/1"
MAX_MANIFEST = 16 << 20
MAX_PART = 8 << 30
PARTS = ("entries", "stamps", "packages")


class BaselineError(HinomiError):
    """A baseline that cannot be believed. `code` is baseline.tampered, .truncated, .rolled-back, .replaced or ..."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a baseline says of itself. `predecessor` is the digest of the manifest before it."""

    sequence: int
    predecessor: str | None
    target: str
    host: str
    kind: str
    made: str
    version: str
    counts: Mapping[str, int]
    selection: Mapping[str, Any] = field(default_factory=dict)
    missed: Mapping[str, int] = field(default_factory=dict)
    accepted: Mapping[str, Any] | None = None
    parts: tuple[Mapping[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the manifest as an object."""
        return {
            "schema": SCHEMA_NAME, "sequence": self.sequence, "predecessor": self.predecessor, "target": self.target,
            "host": self.host, "kind": self.kind, "made": self.made, "version": self.version,
            "counts": dict(self.counts), "selection": dict(self.selection), "missed": dict(self.missed),
            "accepted": None if self.accepted is None else dict(self.accepted), "parts": [dict(p) for p in self.parts],
        }  # fmt: skip


class Baseline:
    """A baseline file whose manifest was read. Nothing in it is to be believed before `check`."""

    def __init__(self, path: Path, manifest: Manifest, seal: Seal, digest: str, raw: bytes, parts_at: int) -> None:
        self.path = path
        self.manifest = manifest
        self.seal = seal
        self.digest = digest
        self._raw = raw
        self._at = parts_at

    def check(self, trust: Trust) -> None:
        """Raise `BaselineError` unless the trusted key sealed this manifest and every part is as it says."""
        try:
            trust.check(self.seal, PURPOSE, self._raw)
        except SealError as error:
            code = "baseline.wrong-key" if error.code == "seal.wrong-key" else "baseline.tampered"
            cause = f"{error.place}; {error.cause}" if error.code == "seal.wrong-key" else error.cause
            raise BaselineError(code, place=str(self.path), cause=cause) from error
        self._check_parts()

    def _check_parts(self) -> None:
        size = self.path.stat().st_size
        expected = self._at + sum(part["size"] for part in self.manifest.parts)
        if size < expected:
            raise BaselineError("baseline.truncated", place=str(self.path), cause=f"{size} of {expected} bytes")
        if size > expected:
            raise BaselineError("baseline.tampered", place=str(self.path), cause=f"{size - expected} bytes too many")
        with self.path.open("rb") as file:
            file.seek(self._at)
            for part in self.manifest.parts:
                left, made = part["size"], hashlib.sha256()
                while left and (data := file.read(min(left, 1 << 20))):
                    left -= len(data)
                    made.update(data)
                if left or made.hexdigest() != part["sha256"]:
                    raise BaselineError("baseline.tampered", place=str(self.path), cause=f"part {part['name']} differs")

    def entries(self) -> pa.Table:
        """Return the table of entries."""
        return self._table("entries")

    def stamps(self) -> dict[bytes, bytes]:
        """Return the stamp of every folder."""
        table = self._table("stamps")
        return dict(zip(table.column("folder").to_pylist(), table.column("stamp").to_pylist(), strict=True))

    def packages(self) -> dict[str, str]:
        """Return the packages installed then: name to version and digest of their manifests."""
        found: dict[str, str] = json.loads(self._part("packages"))
        return found

    def _table(self, name: str) -> pa.Table:
        try:
            return pa.ipc.open_file(pa.BufferReader(self._part(name))).read_all().combine_chunks()
        except (pa.ArrowException, ValueError) as error:
            raise BaselineError("baseline.tampered", place=str(self.path), cause=f"part {name}: {error}") from error

    def _part(self, name: str) -> bytes:
        at = self._at
        for part in self.manifest.parts:
            if part["name"] == name:
                with self.path.open("rb") as file:
                    file.seek(at)
                    return file.read(part["size"])
            at += part["size"]
        raise BaselineError("baseline.tampered", place=str(self.path), cause=f"no part {name}")


def is_baseline(path: Path) -> bool:
    """Whether a file begins as a baseline does."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except (OSError, ValueError):
        return False


def read_baseline(path: Path) -> Baseline:
    """Read a baseline's manifest and seal; `BaselineError` where it is none, cut or garbled."""
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise BaselineError("baseline.not-one", place=str(path), cause="another kind of file")
            raw, sealed = _block(file, path), _block(file, path)
            at = file.tell()
    except OSError as error:
        raise BaselineError("baseline.unreadable", place=str(path), cause=error.strerror or "") from error
    try:
        manifest = _manifest(json.loads(raw))
        seal = seal_from(json.loads(sealed))
    except (ValueError, KeyError, TypeError, RecursionError, SealError) as error:
        raise BaselineError("baseline.tampered", place=str(path), cause="manifest or seal garbled") from error
    return Baseline(path, manifest, seal, hashlib.sha256(raw).hexdigest(), raw, at)


def _block(file: Any, path: Path) -> bytes:
    head = file.read(8)
    size = int.from_bytes(head, "big")
    if len(head) == 8 and size > MAX_MANIFEST:
        raise BaselineError("baseline.tampered", place=str(path), cause="manifest of impossible length")
    data: bytes = file.read(size)
    if len(head) < 8 or len(data) < size:
        raise BaselineError("baseline.truncated", place=str(path), cause="cut within the manifest")
    return data


def _manifest(body: Any) -> Manifest:
    if body["schema"] != SCHEMA_NAME:
        raise ValueError(f"schema {body['schema']!r}")
    parts = tuple({"name": str(p["name"]), "size": int(p["size"]), "sha256": str(p["sha256"])} for p in body["parts"])
    if any(not 0 <= part["size"] <= MAX_PART for part in parts):  # type: ignore[operator]
        raise ValueError("impossible size")
    return Manifest(
        int(body["sequence"]), body["predecessor"], str(body["target"]), str(body["host"]), str(body["kind"]),
        str(body["made"]), str(body["version"]), dict(body["counts"]), dict(body["selection"]), dict(body["missed"]),
        body["accepted"], parts,
    )  # fmt: skip


def write_baseline(
    path: Path, manifest: Manifest, entries: pa.Table, stamps: pa.Table, packages: Mapping[str, str], signer: Signer
) -> str:
    """Seal and write a baseline, whole or not at all; returns its digest."""
    from dataclasses import replace

    contents = [_ipc(entries), _ipc(stamps), json.dumps(dict(sorted(packages.items()))).encode()]
    parts = [
        {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in zip(PARTS, contents, strict=True)
    ]
    whole = replace(manifest, parts=tuple(parts))
    raw = json.dumps(whole.to_json(), ensure_ascii=True, sort_keys=True).encode("ascii")
    seal = json.dumps(signer.sign(PURPOSE, raw).to_json(), sort_keys=True).encode("ascii")
    head = [MAGIC, len(raw).to_bytes(8, "big"), raw, len(seal).to_bytes(8, "big"), seal]
    _replace(path, [*head, *contents])
    return hashlib.sha256(raw).hexdigest()


def _ipc(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd", unify_dictionaries=True)
    with pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _replace(path: Path, pieces: list[bytes]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
