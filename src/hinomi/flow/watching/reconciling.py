"""Compare everything in a folder with the last known state: what differs has changed unseen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hinomi.evidence.view import Entry
from hinomi.flow.watching.comparing import facts_of
from hinomi.flow.watching.looking import Looker
from hinomi.model.findings import Coverage
from hinomi.model.text import path_text, printable
from hinomi.watch.known import Known

CHUNK = 1_000


def differing_paths(
    looker: Looker, known: Known, top: bytes, coverage: Coverage, *, at_once: int = CHUNK
) -> Iterator[list[bytes]]:
    """Yield the paths at and below `top` whose entries differ from what is known, in chunks.

    Nothing is read but attributes. What is known in folders that cannot be listed stays as it is: that is in the
    coverage. Mounts that are left out, and the case itself, are not entered.
    """
    chunk: list[bytes] = []
    for path in _differing(looker, known, top, coverage):
        chunk.append(path)
        if len(chunk) >= at_once:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _differing(looker: Looker, known: Known, top: bytes, coverage: Coverage) -> Iterator[bytes]:
    here, before = looker.view.entry(top), known.get(top)
    if here is None and before is None:
        return
    if here is None or before is None or not before.same(facts_of(here, None)):
        yield top
    if here is None or here.kind != "directory":
        yield from (path for path, _ in known.below(top))
        return
    for path, folder in looker.view.listings_below(top, coverage):
        try:
            if folder.entries or not _failed(coverage, path):
                yield from _in_folder(path, folder.entries, known)
        finally:
            folder.release()


def _failed(coverage: Coverage, path: bytes) -> bool:
    """Whether the last thing that could not be done was listing this folder."""
    return bool(coverage.misses) and coverage.misses[-1].subject == printable(path_text(path))


def _in_folder(path: bytes, entries: Sequence[Entry], known: Known) -> Iterator[bytes]:
    prefix = b"" if path == b"/" else path
    before = known.children(path)
    for entry in entries:
        old = before.pop(entry.name, None)
        if old is None or not old.same(facts_of(entry, None)):
            yield entry.path
        if old is not None and old.kind == "directory" and entry.kind != "directory":
            yield from (below for below, _ in known.below(entry.path))
    for name, old in before.items():
        yield prefix + b"/" + name
        if old.kind == "directory":
            yield from (below for below, _ in known.below(prefix + b"/" + name))
