"""UAC's list of every file: made by the machine's own find as UAC has it run, merged with what was collected."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinomi.evidence.archives.source import BytesSource
from hinomi.evidence.collect import collect
from hinomi.evidence.images.bodyfile import lines
from hinomi.evidence.sources.image import open_image
from hinomi.model.findings import Coverage
from hinomi.model.tables.files import File

FORMS = {
    "find": ["find", ".", "-printf", "0|/%P|%i|%M|%U|%G|%s|%A@|%T@|%C@|%B@\\n"],
    "stat": ["find", ".", "-exec", "stat", "-c", "0|%N|%i|%A|%u|%g|%s|%X|%Y|%Z|%W", "{}", "+"],
}


def host(folder: Path) -> Path:
    for name in ("etc/hostname", "usr/bin/tool", "opt/implant", "srv/a|b"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "usr/bin/tool").chmod(0o4755)
    (folder / "etc/link").symlink_to("hostname")
    return folder


def collection(tmp_path: Path, form: str) -> Path:
    """Pack what UAC would: two files, and the list of all."""
    root = host(tmp_path / "host")
    made = subprocess.run(FORMS[form], cwd=root, check=True, capture_output=True, text=True).stdout
    listed = made if form == "find" else made.replace("'./", "'/").replace("|'.'|", "|'/'|").replace("|./", "|/")
    (tmp_path / "bodyfile.txt").write_text(listed)
    with tarfile.open(tmp_path / "uac.tar.gz", "w:gz") as archive:
        archive.add(root / "etc/hostname", "[root]/etc/hostname")
        archive.add(root / "usr/bin/tool", "[root]/usr/bin/tool")
        archive.add(tmp_path / "bodyfile.txt", "bodyfile/bodyfile.txt")
    return tmp_path / "uac.tar.gz"


@pytest.mark.parametrize("form", FORMS)
def test_every_file_of_the_host_is_a_row(form: str, tmp_path: Path) -> None:
    image = open_image(collection(tmp_path, form))
    rows: list[object] = []
    coverage = Coverage()
    collect(image.target, rows.append, coverage, jobs=1)
    found = {row.path: row for row in rows if isinstance(row, File)}
    on_host = tmp_path / "host"
    assert found.keys() == {"/", *("/" + str(p.relative_to(on_host)) for p in on_host.rglob("*"))}
    implant = found["/opt/implant"]
    told = (on_host / "opt/implant").stat()
    assert (implant.size, implant.sha256, implant.mode) == (11, None, told.st_mode & 0o7777)
    assert implant.mtime == pytest.approx(told.st_mtime, abs=1)
    assert implant.ctime == pytest.approx(told.st_ctime, abs=1)
    assert found["/usr/bin/tool"].mode == 0o4755
    assert found["/usr/bin/tool"].sha256 is not None
    assert found["/etc/link"].link_target == ("" if form == "find" else "hostname")  # find was not asked for it
    assert coverage.skipped["listed-only"] == 2
    assert [m.reason for m in coverage.misses] == []


def test_forms_of_the_sleuth_kit() -> None:
    text = b"0|/a (deleted)|7|r/rrwxr-x--T|1|2|3|4|5|6|7\n0|bad\nnonsense\n0|rel|1|-|0|0|0|0|0|0|0\n"
    (line,) = lines(BytesSource(text))
    node = line.node
    assert (line.name, node.kind, node.mode, node.uid, node.gid, node.size) == (
        b"/a (deleted)", "file", 0o1750, 1, 2, 3
    )  # fmt: skip
    assert (node.mtime, node.ctime, node.btime) == (5.0, 6.0, 7.0)


@given(st.lists(st.binary(max_size=60)))
def test_any_bytes_give_lines_with_absolute_names(parts: list[bytes]) -> None:
    for data in (b"|".join(parts), b"0|/" + b"|".join(parts)):
        assert all(line.name.startswith(b"/") for line in lines(BytesSource(data)))
