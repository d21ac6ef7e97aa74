"""What is written while a file is rotated: nothing lost, nothing written where nobody looks."""

from __future__ import annotations

import io
import os
import shutil
from contextlib import closing
from pathlib import Path

from hinomi.cli.rotation import FollowedFile, Stream
from hinomi.watch.alerts.file import FileSink
from hinomi.watch.alerts.message import Alert


def test_a_file_that_is_moved_away_and_made_anew_is_followed(tmp_path: Path) -> None:
    path, old = tmp_path / "told.jsonl", tmp_path / "told.jsonl.1"
    file = FollowedFile(path)
    file.write(b"one\n")
    path.rename(old)
    path.touch(mode=0o640)
    file.write(b"two\n")
    path.unlink()  # `nocreate`: the next line makes it
    file.write(b"three\n")
    file.close()
    assert (old.read_bytes(), path.read_bytes()) == (b"one\n", b"three\n")


def test_a_file_that_is_copied_and_cut_goes_on_at_its_beginning(tmp_path: Path) -> None:
    path, copy = tmp_path / "told.jsonl", tmp_path / "told.jsonl.1"
    with path.open("wb") as opened, closing(FollowedFile(path)) as followed:  # the first as a shell's `>` opens it
        for stream in (followed, Stream(opened)):
            stream.write(b"before\n" * 100)
            shutil.copy(path, copy)
            os.truncate(path, 0)
            stream.write(b"after\n")
            assert (copy.read_bytes(), path.read_bytes()) == (b"before\n" * 100, b"after\n")
            os.truncate(path, 0)


def test_a_stream_without_a_descriptor_is_written_to_all_the_same() -> None:
    held = io.BytesIO()
    Stream(held).write(b"x")
    assert held.getvalue() == b"x"


def test_alerts_in_a_file_follow_both_kinds_of_rotation(tmp_path: Path) -> None:
    path, old = tmp_path / "alerts.jsonl", tmp_path / "alerts.jsonl.1"
    sink, alert = FileSink(str(path)), Alert("key", "high", "text", "host", "at", "rule", "subject", {})
    sink.send(alert)
    path.rename(old)
    path.touch(mode=0o600)
    sink.send(alert)
    assert len(old.read_bytes().splitlines()) == len(path.read_bytes().splitlines()) == 1
    os.truncate(path, 0)
    sink.send(alert)
    assert path.read_bytes() == old.read_bytes()
