"""What changed between two looks."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.model.tables.files import File
from hinomi.store.evidence import EvidenceWriter
from hinomi.watch.diff import compare


def stored(folder: Path, entries: dict[str, tuple[str, int]]) -> list[Path]:
    writer = EvidenceWriter(folder, "h", "r")
    for path, (digest, mode) in entries.items():
        writer.add(
            File(
                path=path,
                kind="file",
                size=1,
                mode=mode,
                uid=0,
                gid=0,
                inode=1,
                links=1,
                mtime=0.0,
                ctime=0.0,
                sha256=digest,
            )
        )
    writer.close()
    return sorted(folder.rglob("*.parquet"))


ENTRIES = st.dictionaries(
    st.sampled_from(["/a", "/b", "/c/d", "/e"]), st.tuples(st.sampled_from("xy"), st.sampled_from([1, 2]))
)


@settings(max_examples=30, deadline=None)
@given(old=ENTRIES, new=ENTRIES)
def test_every_difference_is_told_once(tmp_path_factory, old, new) -> None:
    changes = compare(stored(tmp_path_factory.mktemp("o"), old), stored(tmp_path_factory.mktemp("n"), new))
    told = {c.path: c.what for c in changes}
    assert len(told) == len(changes)
    for path in old.keys() | new.keys():
        if old.get(path) == new.get(path):
            assert path not in told
        else:
            assert told[path] == ("removed" if path not in new else "added" if path not in old else "changed")


def test_attributes_say_what_changed(tmp_path: Path) -> None:
    (change,) = compare(stored(tmp_path / "o", {"/a": ("x", 1)}), stored(tmp_path / "n", {"/a": ("x", 2)}))
    assert change.attributes == {"mode": (1, 2)}
