"""The in-memory tree answers as a real root would."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hinomi.evidence.sources.memory import MemoryFile, memory_target
from hinomi.evidence.sources.root import RootView
from hinomi.model.findings import Coverage

TREE = {
    "/etc/passwd": "root:x:0:0::/root:/bin/sh\n",
    "/etc/init.d/job": MemoryFile(b"#!/bin/sh\n", mode=0o755),
    "/bin": MemoryFile(link=b"usr/bin"),
    "/usr/bin/tool": b"\x7fELF",
    "/away": MemoryFile(link=b"../../../etc/passwd"),
    "/loop": MemoryFile(link=b"loop"),
    "/run/pipe": MemoryFile(kind="fifo"),
}


def test_it_answers_like_a_folder_on_disk(tmp_path: Path) -> None:
    for path, content in TREE.items():
        place = tmp_path / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, MemoryFile) and content.link is not None:
            place.symlink_to(os.fsdecode(content.link))
        elif isinstance(content, MemoryFile) and content.kind == "fifo":
            os.mkfifo(place)
        else:
            data = content.data if isinstance(content, MemoryFile) else content
            place.write_bytes(data.encode() if isinstance(data, str) else data)
    memory, disk = memory_target(TREE).view, RootView(os.fsencode(tmp_path))

    def shape(view) -> list[tuple[bytes, str, bytes | None]]:
        return [(entry.path, entry.kind, entry.link_target) for entry in view.walk(Coverage())]

    assert shape(memory) == shape(disk)
    for path in (b"/bin/tool", b"/away", b"/loop", b"/nothing", b"/etc/../bin/./tool", b"/etc/passwd/x", b"/.."):
        assert memory.resolve(path) == disk.resolve(path), path
        assert memory.listdir(path) == disk.listdir(path), path


def test_content_and_attributes() -> None:
    view = memory_target(TREE).view
    assert view.read(b"/bin/tool", 2) == b"\x7fE"
    entry = view.entry(b"/etc/init.d/job")
    assert entry is not None
    assert (entry.mode, entry.size, entry.name) == (0o755, 10, b"job")
    with pytest.raises(OSError, match="regular"):
        view.open(b"/run/pipe")
    with pytest.raises(FileNotFoundError):
        view.open(b"/missing")


@pytest.mark.parametrize(
    ("path", "platform"),
    [
        ("/Windows/System32/ntoskrnl.exe", "windows"),
        ("/windows/SYSTEM32/x", "windows"),
        ("/System/Library/CoreServices/SystemVersion.plist", "macos"),
        ("/etc/os-release", "linux"),
    ],
)
def test_the_layout_tells_the_platform(path: str, platform: str) -> None:
    assert memory_target({path: ""}).platform == platform
