"""The last known state: by folder, by tree, all or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from hinomi.watch.known import Facts, Known


def facts(inode: int = 1, *, kind: str = "file", ctime: int = 5) -> Facts:
    return Facts(kind, 1, inode, 10, 0o644, 0, 0, 4, ctime, sha256=b"\1" * 32)


def test_entries_are_found_by_path_folder_and_tree(tmp_path: Path) -> None:
    known = Known(tmp_path / "known.db")
    paths = [b"/", b"/srv", b"/srv/a", b"/srv/d", b"/srv/d/b", b"/srv0", b"/srv\xff/c", b"/srv-x/y"]
    known.apply([(path, facts(n + (1 << 63))) for n, path in enumerate(paths)], ())
    assert known.children(b"/").keys() == {b"srv", b"srv0"}
    assert [path for path, _ in known.below(b"/srv")] == [b"/srv/d/b", b"/srv/d", b"/srv/a"], "folders come last"
    assert known.holds(b"/srv/d") and not known.holds(b"/srv/d/b") and known.holds(b"/")
    assert len(list(known.below(b"/"))) == len(paths) - 1
    known.apply([], [b"/srv/d/b", b"/nothing"])
    assert known.get(b"/srv/d/b") is None and known.get(b"/srv/d") is not None
    with pytest.raises(TypeError):
        known.apply([(b"/late", facts()), None], [b"/srv/a"])  # type: ignore[list-item]
    assert known.get(b"/srv/a") is not None and known.get(b"/late") is None, "all or nothing"
    known.remember("scopes", "/srv")
    known.close()
    again = Known(tmp_path / "known.db")
    assert again.fact("scopes") == "/srv" and len(again) == len(paths) - 1
    again.close()


def test_many_entries_are_read_page_by_page_while_they_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hinomi.watch.known.PAGE", 3)
    known = Known(tmp_path / "known.db")
    known.apply([(b"/d/%d/%d" % (n % 4, n), facts()) for n in range(20)], ())
    found = []
    for path, _ in known.below(b"/d"):
        found.append(path)
        known.apply((), [path])
    assert sorted(found) == sorted(b"/d/%d/%d" % (n % 4, n) for n in range(20)) and len(known) == 0
    known.close()


def test_a_folder_is_the_same_whatever_is_in_it() -> None:
    assert facts(kind="directory").same(facts(kind="directory", ctime=9))
    assert not facts().same(facts(ctime=9))
    assert not facts().same(facts(2))
