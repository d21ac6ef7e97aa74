"""What a look says of entries that come and go while it looks."""

from __future__ import annotations

from pathlib import Path

from hinomi.evidence.view import Entry
from hinomi.flow.watching.looking import Looker
from hinomi.model.tables.files import File


def test_what_goes_before_it_was_read_was_not_there(tmp_path: Path) -> None:
    stays, goes, empty = (tmp_path / name for name in ("stays", "goes", "empty"))
    for path, text in ((stays, "x"), (goes, "x"), (empty, "")):
        path.write_text(text)

    def wanted(path: bytes, _: Entry) -> bool:
        if path == bytes(goes):
            goes.unlink()
        return True

    looker = Looker([], selection=None, own=b"/nowhere", jobs=1, nice=False)
    try:
        seen = looker.look([bytes(stays), bytes(goes), bytes(empty)], wanted)
    finally:
        looker.close()
    assert set(seen.entries) == set(seen.rows) == {bytes(stays), bytes(empty)}
    (row,) = seen.rows[bytes(stays)]
    assert isinstance(row, File) and row.sha256 is not None
