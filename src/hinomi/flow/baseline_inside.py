"""What lies inside an image or a package file of a target, by our own readers, for explanations that verify it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from hinomi.evidence.archives.source import Source
from hinomi.evidence.images.allowance import Allowance
from hinomi.evidence.images.inner import SourceView
from hinomi.evidence.images.members import read_members_tree
from hinomi.evidence.images.opening import Opened, open_trees
from hinomi.evidence.images.view import ImageFolder, ImageView
from hinomi.evidence.target import Target
from hinomi.evidence.view import Entry
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage
from hinomi.watch.baseline.world import Inside

MAX_MEMBERS = 200_000
MAX_UNPACKED = 2 << 30  # an initial RAM disk with all firmware unpacks to some 500 MiB
MAX_TEXT = 256 << 10
CHUNK = 1 << 18
_CONTROL = b"control.tar"
Opens = Callable[[Source, Allowance], list[Opened]]


def members_of(target: Target, path: bytes, coverage: Coverage) -> list[Inside] | None:
    """Return what an image holds; None, with a miss, where it cannot be read to its end.

    What an explanation has not seen it must not vouch for: half an image is none.
    """
    return _read(target, path, coverage, open_trees)


def control_of(target: Target, path: bytes, coverage: Coverage) -> list[Inside] | None:
    """Return the control members of a Debian package (format: deb(5))."""
    return _read(target, path, coverage, _control)


def _read(target: Target, path: bytes, coverage: Coverage, opens: Opens) -> list[Inside] | None:
    view = target.view
    if not isinstance(view, SourceView):
        return None
    noted = Coverage()
    try:
        opened = opens(view.file_source(path), Allowance(MAX_UNPACKED))
        found = [one for item in opened for one in _members(item, noted)]
    except (ParseError, OSError) as error:
        coverage.miss("baseline", path.decode("utf-8", "backslashreplace"), "unreadable", str(error))
        return None
    notes = [miss for item in opened for miss in item.tree.notes.missed]
    return None if notes or noted.missed else found


def _control(source: Source, allowance: Allowance) -> list[Opened]:
    tree = read_members_tree("ar", source, allowance.bytes_left, allowance.work)
    names = tree.root.children or {}
    node = next((node for name, node in names.items() if name.startswith(_CONTROL)), None)
    if node is None or node.content is None:
        raise ParseError("image.damaged", cause="a package without control members")
    return open_trees(node.content(), allowance)


def _members(item: Opened, coverage: Coverage) -> Iterator[Inside]:
    number = 0
    for folder in ImageView(item.tree, budget=MAX_UNPACKED).folders(coverage):
        for entry in folder.entries:
            number += 1
            if number > MAX_MEMBERS:
                raise ParseError("archive.budget", cause="too many members")
            yield _inside(folder, entry)


def _inside(folder: ImageFolder, entry: Entry) -> Inside:
    digest: bytes | None = None
    text: bytes | None = None
    if entry.kind == "file":
        digest, text = _content(folder, entry)
    return Inside(entry.path, entry.kind, entry.mode, entry.link_target, digest, text)


def _content(folder: ImageFolder, entry: Entry) -> tuple[bytes, bytes | None]:
    made, kept, total = hashlib.sha256(), b"", 0
    handle = folder.open(entry)
    try:
        while data := handle.read(CHUNK):
            made.update(data)
            total += len(data)
            if len(kept) <= MAX_TEXT:
                kept += data[: MAX_TEXT + 1]
    finally:
        handle.close()
    if total != entry.size:
        raise ParseError("image.truncated", cause="a member is shorter than it says")
    return made.digest(), kept if total <= MAX_TEXT else None
