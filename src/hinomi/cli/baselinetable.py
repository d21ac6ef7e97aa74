"""Baselines in the terminal: what was sealed, what a verification gave, what was taken over."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from hinomi.cli.settings import Settings
from hinomi.cli.tables import render_rows
from hinomi.cli.words import say
from hinomi.model.findings import Coverage
from hinomi.model.text import printable

if TYPE_CHECKING:
    from hinomi.flow.baseline_viewing import Shown
    from hinomi.flow.baselines import Accepted, Verified
    from hinomi.model.tables.baseline import Change
    from hinomi.watch.baseline.sealed import Baseline

MAX_REASONS = 12
MAX_PATHS = 40
COLUMNS = ("path", "what", "kind", "attributes", "explained", "why", "by", "strength", "left", "content", "package")


def baseline_text(made: Baseline, settings: Settings, coverage: Coverage) -> str:
    """Return what was sealed, and what of the target could not be read."""
    body = _body(made)
    if settings.format == "json":
        return _json({**body, "coverage": coverage.to_json()})
    lines = [
        say("baseline.sealed", number=body["sequence"], count=f"{sum(body['counts'].values()):,}", path=body["file"])
    ]
    lines.append(say("baseline.signed-by", fingerprint=body["signer"]))
    lines.append(say("baseline.keep-number", number=body["sequence"]))
    if not coverage.complete:
        lines.append(say("baseline.incomplete", count=sum(not m.transient for m in coverage.misses)))
        lines += [f"  ! {printable(f'{m.subject}: {m.reason} {m.detail}')}" for m in coverage.misses[:MAX_PATHS]]
    return "\n".join(lines) + "\n"


def _body(made: Baseline) -> dict[str, Any]:
    manifest = made.manifest.to_json()
    manifest.pop("parts")
    return {**manifest, "file": str(made.path), "digest": made.digest, "signer": made.seal.fingerprint}


def verified_text(found: Verified) -> str:
    """Return the summary of a verification: what explained itself by reason, and how much did not."""
    if found.baseline is None:
        return say("baseline.not-compared")
    manifest = found.baseline.manifest
    lines = [say("baseline.compared", number=manifest.sequence, made=manifest.made, target=manifest.target)]
    if not found.pinned:
        lines.append(say("baseline.signer-remembered", fingerprint=found.baseline.seal.fingerprint))
    reasons = Counter(row.why or "" for row in found.changes if row.explained)
    weak = sum(row.strength in ("md5", "sha1") for row in found.changes if row.explained)
    if moved := {name: count for name, count in found.packages.items() if count}:
        lines.append(say("baseline.packages", moved=", ".join(f"{n} {count}" for n, count in sorted(moved.items()))))
    for why, count in reasons.most_common(MAX_REASONS):
        lines.append(say("baseline.explained", count=f"{count:,}", why=why))
    if weak:
        lines.append(say("baseline.weak", count=f"{weak:,}"))
    if trusted := found.result.coverage.examined["entries-trusted-by-inode-size-and-ctime"]:
        read = found.result.coverage.examined["files-read-by-lot"]
        seed = next((k.partition(":")[2] for k in found.result.coverage.skipped if k.startswith("lot-seed:")), "")
        lines.append(say("baseline.trusted", trusted=f"{trusted:,}", read=f"{read:,}", seed=seed))
    lines.append(say("baseline.unexplained", count=f"{sum(not row.explained for row in found.changes):,}"))
    return "\n".join(lines)


def accepted_text(done: Accepted, settings: Settings) -> str:
    """Return what was taken over and what was not."""
    if settings.format == "json":
        return _json({**_body(done.baseline), "paths": list(done.paths), "moved_on": list(done.moved_on)})
    lines = [say("baseline.accepted", number=done.baseline.manifest.sequence, count=f"{len(done.paths):,}")]
    lines += _listed("+", done.paths)
    if done.moved_on:
        lines.append(say("baseline.moved-on", count=f"{len(done.moved_on):,}"))
        lines += _listed("!", done.moved_on)
    return "\n".join(lines) + "\n"


def _listed(mark: str, paths: Sequence[str]) -> list[str]:
    lines = [f"  {mark} {printable(path)}" for path in paths[:MAX_PATHS]]
    return lines if len(paths) <= MAX_PATHS else [*lines, f"  … {len(paths) - MAX_PATHS:,}"]


def chain_text(shown: Shown, settings: Settings) -> str:
    """Return a target's baselines, newest last, and whether the newest can be believed."""
    bodies = [_body(one) for one in shown.chain]
    if settings.format in ("json", "jsonl"):
        state = {"believed": shown.fault is None, "fault": shown.fault}
        return _json({"baselines": bodies, **state}) if settings.format == "json" else _lines(bodies)
    rows = [
        (b["sequence"], b["made"], sum(b["counts"].values()), b["target"], (b["accepted"] or {}).get("because", ""),
         b["signer"][:23] + "…", b["file"])
        for b in bodies
    ]  # fmt: skip
    if settings.format == "csv":
        return _csv(("sequence", "made", "entries", "target", "because", "signer", "file"), rows)
    table = render_rows(["#", "made", "entries", "target", "because", "signer", "file"], rows, settings)
    return (
        table + (say("baseline.believed") if shown.fault is None else say("baseline.fault", fault=shown.fault)) + "\n"
    )


def entries_text(entries: Iterable[dict[str, Any]], settings: Settings) -> str:
    """Return entries of a baseline."""
    rows = list(entries)
    if settings.format == "json":
        return _json(rows)
    if settings.format == "jsonl":
        return _lines(rows)
    names = ("path", "kind", "mode", "uid", "gid", "size", "mtime", "sha256", "link")
    listed = [[row[name] for name in names] for row in rows]
    return _csv(names, listed) if settings.format == "csv" else render_rows(names, listed, settings)


def changes_text(changes: Sequence[Change], settings: Settings) -> str:
    """Return changes, one a line; control characters in names are shown, never printed."""
    from dataclasses import asdict

    bodies = [{"schema": "hinomi.change/1", **asdict(row)} for row in changes]
    for body in bodies:
        body.pop("path_raw")
    if settings.format == "json":
        return _json(bodies)
    if settings.format == "jsonl":
        return _lines(bodies)
    if settings.format == "csv":
        return _csv(COLUMNS, [[_cell(body[name]) for name in COLUMNS] for body in bodies])
    rows = [
        (c.what, printable(c.path), ", ".join(c.attributes), c.why if c.explained else "?", printable(c.by or ""))
        for c in changes
    ]
    diffs = [f"{printable(c.path)}\n{c.diff}\n" for c in changes if c.diff and not c.explained]
    return render_rows(["", "path", "attributes", "why", "by"], rows, settings) + "\n".join(
        ["", *diffs] if diffs else []
    )


def _cell(value: Any) -> str:
    text = " ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else printable(text)


def _json(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, indent=2) + "\n"


def _lines(bodies: Iterable[Any]) -> str:
    return "".join(json.dumps(body, ensure_ascii=False) + "\n" for body in bodies)


def _csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()
