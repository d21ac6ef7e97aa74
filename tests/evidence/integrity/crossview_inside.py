"""Run by test_crossview.py in a mount namespace of its own: `crossview_inside.py IMAGE POINT`; prints JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from hinomi.evidence.integrity import blocks, crossview
from hinomi.evidence.integrity.crossview import Listed, hidden_entries, listed
from hinomi.evidence.sources.root import root_target
from hinomi.model.findings import Coverage


def main(image: str, point: str) -> None:
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-o", "loop", image, point], check=True)
    root = Path(point)
    for name in ("usr/bin", "usr/lib/.x", "srv/many", "over/below", "bound"):
        (root / name).mkdir(parents=True)
    (root / "usr/bin/tool").write_text("tool")
    (root / "usr/bin/implant").write_text("implant")
    for number in range(3000):  # an indexed folder of many blocks
        (root / f"srv/many/file-{number:05}").touch()
    for number in range(0, 3000, 2):
        (root / f"srv/many/file-{number:05}").unlink()
    sub = root / "srv/sub"  # on btrfs a subvolume, whose device number stands in no list of mounts
    if subprocess.run(["stat", "-fc%T", point], check=True, capture_output=True).stdout == b"btrfs\n":
        subprocess.run(["btrfs", "--quiet", "subvolume", "create", str(sub)], check=True)
    sub.mkdir(exist_ok=True)
    (sub / "implant").write_text("implant")
    subprocess.run(["umount", point], check=True)  # XFS: all that was changed now stands on the device
    subprocess.run(["mount", "-o", "loop", image, point], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", str(root / "over")], check=True)
    subprocess.run(["mount", "--bind", str(root / "usr"), str(root / "bound")], check=True)
    settling = blocks._settling_time
    blocks._settling_time = lambda: 0.0
    results = {
        "honest": seen(root, listed),
        "file": seen(root, without(b"implant")),
        "folder": seen(root, without(b".x")),
    }
    blocks._settling_time = settling
    results["fresh"] = seen(root, without(b"implant"))
    results["busy"] = busy(root)
    subprocess.run(["mount", "-o", "remount,ro", point], check=False)
    results["unreadable"] = seen(root, without(b".x"), device=False)
    print(json.dumps(results))


def without(name: bytes) -> object:
    """Return a listing as a rootkit would give it."""

    def listing(fd: int) -> Listed:
        return {one: is_folder for one, is_folder in listed(fd).items() if one != name}

    return listing


def seen(root: Path, listing: object, device: bool = True) -> dict[str, object]:
    if not device:  # as where the device may not be read

        def refuse(device: int, kind: str) -> blocks.Open:
            raise blocks.UnseenError("no-live-reader")

        crossview.opener = refuse
    coverage = Coverage()
    found = hidden_entries(root_target(root), [], coverage, listing=listing)  # type: ignore[arg-type]
    hidden = [[os.fsdecode(one.path), one.kind, one.how] for one in found]
    return {"hidden": hidden, "examined": coverage.examined["folders-cross-checked"], "skipped": list(coverage.skipped)}


def busy(root: Path) -> dict[str, object]:
    """Look while files and folders come and go."""
    stop = threading.Event()

    def churn() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            place = root / f"srv/churn-{number % 7}"
            place.mkdir(exist_ok=True)
            (place / "a").touch()
            (place / "a").unlink()
            place.rmdir()

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        return seen(root, listed)
    finally:
        stop.set()
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
