"""What a folder's listing hides, though `stat` by name, its link count or the raw file system shows it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hinomi.evidence.sources.root import RootView
from hinomi.evidence.target import Target
from hinomi.model.findings import Coverage


class HiddenEntry(NamedTuple):
    """An entry that its folder does not list; `how` says what shows it."""

    path: bytes
    kind: str
    how: str


def hidden_entries(target: Target, known: Iterable[bytes], coverage: Coverage) -> list[HiddenEntry]:
    """Return what is hidden; `known` are paths that were there once and are no longer listed."""
    view = target.view
    if not isinstance(view, RootView):
        return []
    return list(_by_name(view, known))


def _by_name(view: RootView, known: Iterable[bytes]) -> Iterable[HiddenEntry]:
    """A name that is no longer listed must not answer to `stat` either; looked at twice, so that a race is none."""
    for path in known:
        entry = view.entry(path)
        if entry is None or entry.path != path:
            continue
        folder, _, name = path.rpartition(b"/")
        if name not in view.listdir(folder or b"/") and view.entry(path) is not None:
            yield HiddenEntry(path, entry.kind, "stat")
