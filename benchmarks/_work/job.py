"""A piece of ordinary work: how often it is done, by whom, and with which programs."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile

USER = "replay-user"
HOME = Path("/home") / USER
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


@dataclass
class Job:
    """Work to do about every `period` seconds; skipped, by name, where a program is not installed."""

    name: str
    period: float
    work: Callable[[], None]
    programs: tuple[str, ...] = ()
    due: float = 0.0
    done: int = 0
    failed: list[str] = field(default_factory=list)

    def missing(self) -> list[str]:
        """Return the programs that are not there."""
        return [name for name in self.programs if not where(name)]

    def run(self) -> None:
        """Do it once; what fails is kept, because work that was not done proves nothing."""
        try:
            self.work()
            self.done += 1
        except (subprocess.SubprocessError, OSError, AssertionError) as error:
            self.failed.append(f"{type(error).__name__}: {error}"[:600])


def where(name: str) -> str | None:
    """Return a program's path, also in the folders that only root has in its path."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin")


def run(words: Sequence[str | Path], cwd: Path | None = None) -> None:
    """Run a program to its end; `AssertionError` with its last words where it fails."""
    with TemporaryFile() as said:
        done = subprocess.run([str(word) for word in words], check=False, timeout=300, cwd=cwd,
                              stdin=subprocess.DEVNULL, stdout=said, stderr=said)  # fmt: skip
        said.seek(0)
        assert done.returncode == 0, f"{words[0]}: {said.read()[-300:].decode('utf-8', 'replace')}"


def as_user(words: Sequence[str | Path], user: str = USER) -> None:
    """Run a program as an ordinary user, from that user's home."""
    home = HOME if user == USER else Path("/")
    who = [f"--reuid={user}", f"--regid={user}", "--init-groups", "--inh-caps=-all"]
    around = ["env", "-i", f"HOME={home}", f"USER={user}", "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"]
    run(["setpriv", *who, *around, *words], cwd=home)


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file as a configuration tool does: beside, then over."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    new.chmod(mode)
    new.rename(path)


def owned(paths: Iterable[Path], user: str = USER) -> None:
    """Give files to a user."""
    for path in paths:
        shutil.chown(path, user, user)
