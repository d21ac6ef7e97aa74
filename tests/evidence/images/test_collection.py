"""Collections of other tools: mapped back to where the files were, and never taken for the whole host."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile

import pytest

from hinomi.evidence.sources.image import open_collection, open_image
from hinomi.flow.scanning import open_target

UAC = {
    "[root]/etc/hostname": b"gate7\n",
    "[root]/etc/passwd": b"root:x:0:0::/:/bin/sh\n",
    "[root]/usr/bin/run": b"#!/bin/sh\n",
    "live_response/process/ps.txt": b"PID\n",
    "bodyfile/bodyfile.txt": b"0|/etc|1|d|0|0|1|1|1|1|1\n",
    "uac.log": b"done\n",
}
VELOCIRAPTOR = {
    "uploads/auto/C%3A/Windows/System32/config/SOFTWARE": b"regf",
    "uploads/auto/C%3A/Users/a%20b%25/run.ps1": b"whoami\n",
    "uploads/ntfs/%5C%5C.%5CC%3A/$MFT": b"FILE0",
    "uploads/ntfs/%5C%5C.%5CC%3A/$MFT.idx": json.dumps(
        {"ranges": [
            {"original_offset": 0, "length": 4, "file_offset": 0, "file_length": 4},
            {"original_offset": 4, "length": 3, "file_offset": 4, "file_length": 0},
            {"original_offset": 7, "length": 1, "file_offset": 4, "file_length": 1},
        ]}
    ).encode(),
    "uploads/auto/D%3A/notes.txt": b"n",
    "results/Windows.Sys.Users.json": b"{}\n",
    "collection_context.json": b"{}",
}  # fmt: skip
KAPE = {
    "C/Windows/System32/config/SAM": b"regf",
    "C/Users/b/NTUSER.DAT": b"regf",
    "E/share/x.txt": b"x",
    "2026-01-01T000000_Target_CopyLog.csv": b"a,b\n",
}


def zipped(files, path, top=""):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(top + name, data)
    return path


def tarred(files, path, top=""):
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(top + name)
            info.size, info.mtime, info.uid = len(data), 1_600_000_000, 33
            archive.addfile(info, io.BytesIO(data))
    return path


def unpacked(files, path, top=""):
    for name, data in files.items():
        (path / (top + name)).parent.mkdir(parents=True, exist_ok=True)
        (path / (top + name)).write_bytes(data)
    return path


def opened(path):
    return open_collection(path) if path.is_dir() else open_image(path)


def partial(image):
    return [detail for _, reason, detail in image.tree.notes.missed if reason == "partial"]


@pytest.mark.parametrize("pack", [zipped, tarred, unpacked])
@pytest.mark.parametrize("top", ["", "uac-gate7-linux-20260101/"])
def test_uac(pack, top, tmp_path):
    image = opened(pack(UAC, tmp_path / "collection", top))
    assert (image.target.host, image.target.platform) == ("gate7", "linux")
    assert image.target.view.listdir(b"/") == [b"etc", b"usr"]
    assert image.target.view.read(b"/usr/bin/run", 99) == b"#!/bin/sh\n"
    assert partial(image) == ["collected by UAC: what is not here may be on the host"]
    (own,) = image.beside
    assert own.target.name.endswith("collection » UAC output")
    assert b"uac.log" in own.target.view.listdir(b"/")


@pytest.mark.parametrize("pack", [zipped, unpacked])
def test_velociraptor(pack, tmp_path):
    image = opened(pack(VELOCIRAPTOR, tmp_path / "collection"))
    view = image.target.view
    assert image.target.platform == "windows"
    assert view.listdir(b"/") == [b"$MFT", b"Users", b"Windows"]
    assert view.read(b"/Users/a b%/run.ps1", 99) == b"whoami\n"
    assert view.read(b"/$MFT", 99) == b"FILE\0\0\x000"
    assert [one.target.name.rpartition(" » ")[2] for one in image.beside] == ["D:", "Velociraptor output"]
    assert image.beside[0].target.view.listdir(b"/") == [b"notes.txt"]
    assert len(partial(image)) == 1


@pytest.mark.parametrize("pack", [zipped, unpacked])
def test_kape(pack, tmp_path):
    image = opened(pack(KAPE, tmp_path / "collection"))
    assert image.target.platform == "windows"
    assert image.target.view.listdir(b"/") == [b"Users", b"Windows"]
    assert [one.target.name.rpartition(" » ")[2] for one in image.beside] == ["E:", "KAPE output"]
    assert len(partial(image)) == 1


def test_names_that_lead_elsewhere_stay_inside(tmp_path):
    hostile = VELOCIRAPTOR | {"uploads/auto/C%3A/%2e%2e/%2e%2e/out": b"x", "uploads/auto/C%3A/a%2Fb/c": b"y"}
    view = open_image(zipped(hostile, tmp_path / "c.zip")).target.view
    assert view.read(b"/%2e%2e/%2e%2e/out", 9) == b"x"
    assert view.read(b"/a%2Fb/c", 9) == b"y"


@pytest.mark.parametrize(
    "index", [b"[", b'{"ranges": [{"length": "x"}]}', b'{"ranges": 7}', b'{"ranges": [{"length": -1}]}']
)
def test_an_index_without_sense_is_passed_over(index, tmp_path):
    files = VELOCIRAPTOR | {"uploads/ntfs/%5C%5C.%5CC%3A/$MFT.idx": index}
    assert open_image(zipped(files, tmp_path / "c.zip")).target.view.read(b"/$MFT", 99) == b"FILE0"


def test_an_ordinary_folder_is_none(tmp_path):
    for name in ("etc", "C", "bin"):
        (tmp_path / "root" / name).mkdir(parents=True)
    assert open_collection(tmp_path / "root") is None
    assert open_target(str(tmp_path / "root")).kind == "root"
