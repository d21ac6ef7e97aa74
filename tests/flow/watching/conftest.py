"""A real watcher on a folder of its own, on a file system of its own where the machine has one (tmpfs)."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest

from hinomi.flow.watching.needing import NAME

MAIN = "from hinomi.cli.main import main; main()"
PATIENCE = 400.0  # seconds after which a test gives up; nothing is measured
ATTEMPTS = 20
PREFIX = "hinomi-watched-"
Told = TypeVar("Told")


class Watching:
    """One `hinomi watch` as a user would run it."""

    def __init__(self, folder: Path, case: Path, *words: str, config: str = "", within: Sequence[str] = ()) -> None:
        self.folder, self.case = folder, case
        self._out = case.with_name(f"{case.name}-{time.monotonic_ns()}.jsonl")
        self._err = self._out.with_suffix(".err")
        settings = case.with_name("hinomi.toml")
        settings.write_text(config)
        environment = os.environ | {"HINOMI_CONFIG": str(settings), "HINOMI_LANG": "en"}
        command = [*within, sys.executable, "-c", MAIN, "watch", str(folder), "--case", str(case), "--format", "jsonl"]
        command += words
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err, env=environment)

    @property
    def said(self) -> str:
        return self._err.read_text("utf-8", "replace")

    def lines(self, schema: str = "") -> list[dict[str, Any]]:
        data = self._out.read_bytes()  # the last line may be there in part
        found = [json.loads(line) for line in data[: data.rfind(b"\n") + 1].split(b"\n")[:-1]]
        return [line for line in found if schema in line["schema"]]

    def changes(self) -> list[dict[str, Any]]:
        """The changes told of the watched folder. Those of the watcher's own program are others' doing: an editor's, or
        another test's that is the first to load, and so to compile, a module."""
        return [change for change in self.lines("change") if change["path"].startswith(f"{self.folder}/")]

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if found := holds():
                return found
            assert self.process.poll() is None, f"{what}: it ended: {self.said}"
            time.sleep(0.05)
        pytest.fail(f"never: {what}\n{self.said}")

    def ready(self) -> Watching:
        self.until(lambda: "Watching" in self.said, "it watches")
        return self

    def change(self, name: str, what: str = "") -> dict[str, Any]:
        path = str(self.folder / name)
        found = self.until(
            lambda: [c for c in self.changes() if c["path"] == path and what in c["what"]], f"{name} {what}"
        )
        return dict(found[-1])

    def finding(self, rule: str, subject: str = "") -> dict[str, Any]:
        found = self.until(
            lambda: [f for f in self.lines("finding") if f["rule"]["id"] == rule and subject in f["subject"]["key"]],
            rule,
        )
        return dict(found[-1])

    def gaps(self, reason: str) -> list[dict[str, Any]]:
        """Closed gaps of a reason; of any for an empty one."""
        return [g for g in self.lines("gap") if reason in ("", g["reason"]) and not g["open"]]

    def unless_lost(self, attempt: Callable[[int], Told], right: Callable[[Told], bool]) -> Told:
        """What an attempt (it is given its number) told, once it is right. It may be wrong only where the kernel had to
        drop events of processes meanwhile, as others start theirs: then nobody can say who it was, and that is said."""
        for number in range(ATTEMPTS):
            lost = len(self.gaps("process-events-lost"))
            if right(told := attempt(number)):
                return told
            self.until(lambda lost=lost: len(self.gaps("process-events-lost")) > lost, f"right, or a gap: {told}")
        pytest.fail(f"not once in {ATTEMPTS} attempts: {told}")

    def state(self) -> dict[str, Any]:
        """The last reported state of every path: its digest, or None for what is no file."""
        state: dict[str, Any] = {}
        for change in self.changes():
            if change["what"] in ("added", "changed"):
                state[change["path"]] = change["new_sha256"]
            else:
                state.pop(change["path"], None)
        return state

    def ended(self) -> int:
        """Wait until it ends by itself; return its exit code."""
        return self.process.wait(PATIENCE)

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(PATIENCE)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder on a tmpfs of the machine, so that few others' changes come by."""
    if os.geteuid() != 0:
        pytest.skip("needs root: fanotify and the process connector")
    from hinomi.watch.live.fanotify import open_group

    try:
        group, _ = open_group(unlimited=True)
    except OSError as error:
        pytest.skip(f"this kernel or sandbox has no fanotify: {error}")
    os.close(group)
    with own_folder("/dev/shm" if os.path.ismount("/dev/shm") else tempfile.gettempdir()) as folder:
        yield folder


@contextmanager
def own_folder(base: str) -> Iterator[Path]:
    """A folder that is locked as long as its test lives: what stands unlocked is left of tests that were killed."""
    with ExitStack() as stack:
        with held(base):
            for left in Path(base).glob(f"{PREFIX}*"):
                with suppress(OSError), held(left, fcntl.LOCK_NB):
                    shutil.rmtree(left, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
            stack.enter_context(held(folder))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder


@contextmanager
def held(folder: str | Path, how: int = 0) -> Iterator[None]:
    """Hold the lock of a folder; `OSError` where another does and `how` says not to wait."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | how)
        yield
    finally:
        os.close(descriptor)


@pytest.fixture(scope="session")
def needs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first watcher's answer about what rules need is kept for those that start later."""
    return tmp_path_factory.mktemp("needs") / NAME


@pytest.fixture
def watching(place: Path, tmp_path: Path, needs: Path) -> Iterator[Callable[..., Watching]]:
    """Start watchers of `place`; all are ended."""
    started: list[Watching] = []
    kept = tmp_path / "case" / "watch" / NAME

    def start(*words: str, config: str = "", within: Sequence[str] = (), on: Path | None = None) -> Watching:
        if needs.exists() and not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copy(needs, kept)
        started.append(Watching(on or place, tmp_path / "case", *words, config=config, within=within))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
    if kept.exists():
        shutil.copy(kept, needs)


class PrivateRoot:
    """A mount namespace whose root is this machine's files below and memory above: what is done in it does not stay."""

    _MAKE = """set -e
mount -t tmpfs -o size=2g,mode=755 private "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work,index=on,nfs_export=on" private-root "$1/root"
mount --bind "$2" "$1/root$2"
for name in proc sys dev; do mount --rbind "/$name" "$1/root/$name"; done
mount -t tmpfs -o mode=755 private-run "$1/root/run"
cd "$1/root"
pivot_root . .
umount -l .
cd /
echo made
exec sleep infinity
"""

    def __init__(self, base: Path, shared: Path) -> None:
        words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", self._MAKE, "make", base, shared]
        self.holder = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.holder.stdout is not None and self.holder.stderr is not None
        if self.holder.stdout.readline() != "made\n":
            _, said = self.holder.communicate()
            pytest.skip(f"no root of its own can be made here: {said[-200:]}")
        self.within = ("nsenter", "--target", str(self.holder.pid), "--mount", "--root", "--wd")

    def run(self, *words: str | Path, script: str = "") -> None:
        done = subprocess.run([*self.within, *words], input=script or None, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-1000:]

    def sh(self, script: str) -> None:
        self.run("sh", "-e", script=script)

    def close(self) -> None:
        self.holder.kill()
        self.holder.communicate()


@pytest.fixture
def private_root(place: Path, tmp_path: Path) -> Iterator[PrivateRoot]:
    """A root of its own; `tmp_path` is the same inside and outside."""
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        pytest.skip("unshare and nsenter are not installed: apt-get install util-linux")
    root = PrivateRoot(place, tmp_path)
    yield root
    root.close()
