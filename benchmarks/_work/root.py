"""A root of its own: this machine's files below, a memory file system above, so that nothing done in it stays."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

CHECKOUT = Path("/opt/hinomi-checkout")
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
_INSIDE = "HINOMI_REPLAY_INSIDE"


def is_inside() -> bool:
    """Whether this process is the one that may mount."""
    return _INSIDE in os.environ


def again_inside(module: str, arguments: Sequence[str]) -> int:
    """Run a module once more in a mount namespace of its own; return its exit code."""
    with tempfile.TemporaryDirectory(prefix="hinomi-replay-") as base:
        command = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", module, *arguments]
        return subprocess.run(command, env=os.environ | {_INSIDE: base}, check=False).returncode


def enter(checkout: Path) -> None:
    """Make the root and move into it. Whoever loses its parent becomes our child, so that the work is known as ours."""
    ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0)
    base = Path(os.environ[_INSIDE])
    _mount("-t", "tmpfs", "-o", "size=6g,mode=755", "hinomi-replay", str(base))
    upper, work, root = (base / name for name in ("upper", "work", "root"))
    for folder in (upper, work, root):
        folder.mkdir()
    layers = f"lowerdir=/,upperdir={upper},workdir={work},index=on,nfs_export=on"
    _mount("-t", "overlay", "-o", layers, "hinomi-replay-root", str(root))
    here = root / CHECKOUT.relative_to("/")
    here.mkdir(parents=True)
    _mount("--bind", str(checkout), str(here))
    _mount("-o", "remount,bind,ro", str(here))
    for name in ("proc", "sys", "dev"):
        _mount("--rbind", f"/{name}", str(root / name))
    for name, mode in (("run", "755"), ("tmp", "1777")):
        _mount("-t", "tmpfs", "-o", f"size=1g,mode={mode}", f"replay-{name}", str(root / name))
    os.chdir(root)
    subprocess.run(["pivot_root", ".", "."], check=True)
    subprocess.run(["umount", "--lazy", "."], check=True)
    os.chdir("/")


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def program(checkout: Path) -> list[str]:
    """Return the words that start our own Hinomi inside."""
    path = Path(sys.executable)
    if path.is_relative_to(checkout):
        path = CHECKOUT / path.relative_to(checkout)
    return [str(path), "-c", "from hinomi.cli.main import main; main()"]


def environment() -> dict[str, str]:
    """Return the environment of our own Hinomi inside."""
    kept = {name: value for name, value in os.environ.items() if name != _INSIDE}
    return kept | {"PYTHONPATH": str(CHECKOUT / "src"), "PYTHONDONTWRITEBYTECODE": "1", "HINOMI_LANG": "en"}
