"""The root view: nothing leaves the target, nothing special is opened, nothing is too long or too odd."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.sources.root import RootView, root_target
from hinomi.model.errors import TargetError
from hinomi.model.findings import Coverage


def view_of(path: Path, **options) -> RootView:
    return RootView(os.fsencode(path), **options)


def paths(view: RootView, coverage: Coverage | None = None) -> list[bytes]:
    return [entry.path for entry in view.walk(coverage or Coverage())]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "etc").mkdir(parents=True)
    (folder / "etc/passwd").write_text("inside\n")
    (tmp_path / "secret").write_text("outside\n")
    return folder


def test_walk_lists_everything_once_parents_first(root: Path) -> None:
    (root / "b").mkdir()
    (root / "b/inner").write_text("x")
    (root / "a.txt").write_text("x")
    (root / "link").symlink_to("b")

    found = paths(view_of(root))

    assert found == [b"/", b"/a.txt", b"/b", b"/etc", b"/link", b"/b/inner", b"/etc/passwd"]


def test_names_may_be_any_bytes(root: Path) -> None:
    names = [b"new\nline", b"\x1b[31mred", b"\xff\xfe not utf-8", "火の見".encode(), b" ", b"-rf"]
    for name in names:
        (Path(os.fsdecode(os.fsencode(root) + b"/" + name))).write_bytes(name)
    view = view_of(root)

    assert sorted(p for p in paths(view) if p.count(b"/") == 1 and p not in (b"/", b"/etc")) == sorted(
        b"/" + name for name in names
    )
    assert all(view.read(b"/" + name, 100) == name for name in names)


def test_absolute_links_resolve_inside(root: Path) -> None:
    (root / "shortcut").symlink_to("/etc/passwd")
    assert view_of(root).read(b"/shortcut", 100) == b"inside\n"


@pytest.mark.parametrize("target", ["../secret", "/../secret", "../../../../../../../../etc/hostname", "/etc/hostname"])
def test_links_never_leave(root: Path, target: str) -> None:
    (root / "escape").symlink_to(target)
    view = view_of(root)
    assert view.resolve(b"/escape") is None
    with pytest.raises(FileNotFoundError):
        view.open(b"/escape")


def test_linked_folders_stay_inside(root: Path) -> None:
    (root / "up").symlink_to("..")
    (root / "outside").symlink_to(root.parent)
    view = view_of(root)
    assert view.resolve(b"/up/up/up/etc/passwd") == b"/etc/passwd"
    assert view.resolve(b"/outside/secret") is None
    assert view.listdir(b"/up") == [b"etc", b"outside", b"up"]


def test_loops_end(root: Path) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    (root / "self").symlink_to("self/x")
    view = view_of(root)
    assert view.resolve(b"/a") is None
    assert view.resolve(b"/self") is None
    entry = view.entry(b"/a")
    assert entry is not None
    assert (entry.kind, entry.link_target) == ("symlink", b"b")


@pytest.mark.parametrize("path", [b"/..", b"/../../etc/..", b"//etc/./..", b"/", b""])
def test_the_top_is_the_top(root: Path, path: bytes) -> None:
    view = view_of(root)
    assert view.resolve(path) == b"/"
    entry = view.entry(path)
    assert entry is not None
    assert entry.kind == "directory"
    assert view.listdir(path) == [b"etc"]


def test_special_files_are_seen_and_never_opened(root: Path) -> None:
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fsencode(root / "socket"))
        view = view_of(root)
        kinds = {entry.path: entry.kind for entry in view.walk(Coverage())}
        assert (kinds[b"/pipe"], kinds[b"/socket"]) == ("fifo", "socket")
        for name in (b"/pipe", b"/socket", b"/etc"):
            with pytest.raises(OSError, match="regular"):
                view.open(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="devices need root")
def test_devices_are_never_opened(root: Path) -> None:
    os.mknod(root / "zero", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    view = view_of(root)
    with pytest.raises(OSError, match="regular"):
        view.open(b"/zero")
    assert view.entry(b"/zero").kind == "character-device"  # type: ignore[union-attr]


def deep_tree(root: Path, levels: int, name: bytes) -> None:
    """Make a chain of folders whose path is longer than PATH_MAX, with a file at its end."""
    fd = os.open(root, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=fd)
        lower = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = lower
    end = os.open(b"end", os.O_WRONLY | os.O_CREAT, dir_fd=fd)
    os.write(end, b"reached")
    os.close(end)
    os.close(fd)


def test_paths_longer_than_path_max(root: Path) -> None:
    name = b"d" * 200
    deep_tree(root, 60, name)
    view = view_of(root)
    coverage = Coverage()
    found = paths(view, coverage)
    end = max(found, key=len)
    assert len(end) > 12_000
    assert end.endswith(b"/end")
    assert view.read(end, 100) == b"reached"
    assert not coverage.misses


def test_more_open_levels_than_are_held(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hinomi.evidence.sources.root.MAX_OPEN_FOLDERS", 3)
    folder = root
    for _ in range(12):
        for sibling in ("x", "z"):
            (folder / sibling).mkdir()
        (folder / "y").mkdir()
        folder = folder / "y"
    coverage = Coverage()
    assert len(paths(view_of(root), coverage)) == 3 + 12 * 3
    assert not coverage.misses


def test_depth_is_bounded_and_said(root: Path) -> None:
    (root / "1/2/3/4/5").mkdir(parents=True)
    coverage = Coverage()
    found = paths(view_of(root, max_depth=3), coverage)
    assert b"/1/2/3/4" in found
    assert b"/1/2/3/4/5" not in found
    assert [miss.reason for miss in coverage.misses] == ["too-deep"]


def test_folders_swapped_for_links_are_not_entered(root: Path) -> None:
    outside = root.parent / "elsewhere"
    outside.mkdir()
    (outside / "loot").write_text("x")
    (root / "swap").mkdir()

    def swap(path: bytes) -> None:
        if path == b"/swap" and (root / "swap").is_dir() and not (root / "swap").is_symlink():
            (root / "swap").rmdir()
            (root / "swap").symlink_to(outside)

    coverage = Coverage()
    found = paths(view_of(root, before_open=swap), coverage)
    assert b"/swap" in found
    assert b"/swap/loot" not in found
    assert [(miss.subject, miss.reason) for miss in coverage.misses] == [("/swap", "changed")]


def test_excluded_places_are_said(root: Path) -> None:
    (root / "case/evidence").mkdir(parents=True)
    (root / "net").mkdir()
    coverage = Coverage()
    found = paths(view_of(root, exclude=[b"/case"], mounts={b"/net": "nfs4"}), coverage)
    assert not any(path.startswith((b"/case", b"/net")) for path in found)
    assert coverage.skipped == {"excluded:/case": 1, "file-system:nfs4": 1, "mount:/net": 1}
    assert coverage.complete


def test_descriptors_are_given_back(root: Path) -> None:
    for i in range(30):
        (root / f"d{i}/e").mkdir(parents=True)
    before = len(os.listdir("/proc/self/fd"))
    view = view_of(root)
    walk = view.walk(Coverage())
    for _ in range(10):
        next(walk)
    walk.close()
    del walk
    list(view.walk(Coverage()))
    view.resolve(b"/d1/../d2/e/../../../x")
    view.entry(b"/d1/e")
    del view
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_root_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "WINDOWS/system32").mkdir(parents=True)
    (tmp_path / "WINDOWS/system32/x").write_text("")
    assert root_target(tmp_path).platform == "windows"


def test_a_plain_folder_is_a_target(tmp_path: Path) -> None:
    (tmp_path / "some file").write_text("x")
    target = root_target(str(tmp_path))
    assert (target.kind, target.platform, target.host) == ("root", "linux", tmp_path.name[:64])


def test_the_host_name_inside_labels_the_target(root: Path) -> None:
    (root / "etc/hostname").write_text("gate way/1\n")
    assert root_target(root).host == "gate"
    (root / "etc/hostname").write_text("../../evil\n")
    assert "/" not in root_target(root).host


def test_a_missing_target_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(TargetError) as caught:
        root_target(tmp_path / "nowhere")
    assert caught.value.code == "target.missing"
    (tmp_path / "file").write_text("")
    with pytest.raises(TargetError):
        root_target(tmp_path / "file")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.binary(max_size=60))
def test_any_path_is_answered(path: bytes) -> None:
    view = RootView(b"/usr")
    resolved = view.resolve(path)
    entry = view.entry(path)
    assert resolved is None or resolved.startswith(b"/")
    assert entry is None or resolved is not None or entry.kind == "symlink"
    assert resolved is not None or view.listdir(path) == []


def test_reading_stops_at_its_limit_and_goes_on_past_a_size_that_is_no_measure(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(256)) * 1000)
    (tmp_path / "empty").touch()
    view = RootView(os.fsencode(tmp_path))
    whole = view.read(b"/file", 1 << 30)
    assert whole == bytes(range(256)) * 1000
    assert [view.read(b"/file", limit) for limit in (0, 1, 255_999, 256_000, 256_001)] == [
        whole[:limit] for limit in (0, 1, 255_999, 256_000, 256_001)
    ]
    assert view.read(b"/empty", 10) == b""


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="no /proc")
def test_files_that_say_they_are_empty_are_read_to_their_end() -> None:
    view = RootView(b"/proc/self")
    text = view.read(b"/maps", 1 << 20)
    assert Path("/proc/self/maps").stat().st_size == 0
    assert text.endswith(b"\n") and text.count(b"\n") > 20 and view.read(b"/maps", 100) == text[:100]
