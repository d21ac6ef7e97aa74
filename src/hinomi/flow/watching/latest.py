"""The last known state with, over it, what was seen since and is not concluded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hinomi.watch.baseline.liveworld import LastKnown
from hinomi.watch.known import Facts


class Latest:
    """Implements `LastKnown`. `due` is by path; None is what was seen to be gone."""

    def __init__(self, known: LastKnown, due: Mapping[bytes, Facts | None]) -> None:
        self._known = known
        self._due = due

    def get(self, path: bytes) -> Facts | None:
        """Return one entry's."""
        return self._due[path] if path in self._due else self._known.get(path)

    def children(self, folder: bytes) -> dict[bytes, Facts]:
        """Return those in a folder by name."""
        found: dict[bytes, Facts | None] = {**self._known.children(folder)}
        found.update((path.rpartition(b"/")[2], facts) for path, facts in self._since(folder, deep=False))
        return {name: facts for name, facts in found.items() if facts is not None}

    def below(self, folder: bytes) -> Iterator[tuple[bytes, Facts]]:
        """Yield those below a folder."""
        since = dict(self._since(folder, deep=True))
        yield from ((path, facts) for path, facts in self._known.below(folder) if path not in since)
        yield from ((path, facts) for path, facts in since.items() if facts is not None)

    def _since(self, folder: bytes, *, deep: bool) -> Iterator[tuple[bytes, Facts | None]]:
        begin = folder.rstrip(b"/") + b"/"
        for path, facts in self._due.items():
            if path.startswith(begin) and (deep or b"/" not in path[len(begin) :]):
                yield path, facts
