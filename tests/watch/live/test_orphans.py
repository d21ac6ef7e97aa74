"""What happened in a folder that is gone is told by its path, once the folder's removal names it."""

from __future__ import annotations

from hinomi.watch.live.events import CONTENT, FOLDER, REMOVED
from hinomi.watch.live.orphans import PATIENCE, UNNAMED_PATIENCE, Orphan, Orphans

GONE = FOLDER | REMOVED


def removed(name: bytes, what: int = REMOVED, child: bytes = b"") -> Orphan:
    return Orphan(name, what, 7, True, child)


def test_a_removal_names_all_that_happened_below_innermost_first() -> None:
    orphans = Orphans()
    for folder, orphan in (
        (b"deep", removed(b"file", CONTENT)), (b"deep", removed(b"file")), (b"middle", removed(b"deep", GONE, b"deep")),
        (b"middle", removed(b".", CONTENT)), (b"other", removed(b"file")),
    ):  # fmt: skip
        assert orphans.keep(folder, orphan)
    told = [(path, orphan.what) for path, orphan in orphans.claim(b"middle", b"/top/middle")]
    assert told == [
        (b"/top/middle/deep/file", CONTENT), (b"/top/middle/deep/file", REMOVED), (b"/top/middle/deep", GONE),
        (b"/top/middle", CONTENT),
    ]  # fmt: skip
    assert len(orphans) == 1 and not list(orphans.claim(b"middle", b"/top/middle")), "once"
    assert not list(orphans.claim(b"", b"/top"))


def test_what_nobody_names_is_a_loss_after_a_while_and_room_is_bounded() -> None:
    now = 100.0
    orphans = Orphans(2, clock=lambda: now)
    assert orphans.keep(b"a", removed(b"1")) and orphans.keep(b"a", removed(b"2"))
    assert not orphans.keep(b"b", removed(b"3")), "no room: the caller states a gap"
    now += PATIENCE + 1
    assert orphans.overdue() == 0, "this kernel may name none"
    orphans.names_children = True
    assert orphans.overdue() == 2 and len(orphans) == 0
    orphans.names_children = False
    assert orphans.keep(b"a", removed(b"1"))
    now += UNNAMED_PATIENCE + 1
    assert orphans.overdue() == 1 and orphans.overdue() == 0


def test_a_handle_that_names_itself_is_no_endless_search() -> None:
    orphans = Orphans()
    orphans.keep(b"a", removed(b"x", GONE, b"a"))
    assert [path for path, _ in orphans.claim(b"a", b"/a")] == [b"/a/x"]
