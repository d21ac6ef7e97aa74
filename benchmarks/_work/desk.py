"""What people do at their desks and with their machines: edit, compile, keep versions, back up, set up services."""

from __future__ import annotations

import shutil
import time
import zipfile
from itertools import count
from pathlib import Path

from benchmarks._work.job import HOME, Job, as_user, owned, run, write

SOURCES = HOME / "src"
_MAKEFILE = """all: hello
hello: hello.o part.o
	gcc -o hello hello.o part.o
%.o: %.c
	gcc -O2 -c $<
clean:
	rm -f *.o hello
"""
_UNIT = "[Unit]\nDescription=Report {}\n[Service]\nType=oneshot\nExecStart=/usr/local/bin/replay-tool\n"
_TOOL = "#!/bin/sh\n# {}\ndf -h / | tail -1 >> /var/log/replay-tool.log\n"
_MAIN = '#include <stdio.h>\nint part(void);\nint main(void) {{ printf("%d {}", part()); }}\n'


def jobs() -> list[Job]:
    """Return the work."""
    number = count()
    return [
        Job("editor: saves", 15, _save),
        Job("vim", 90, _vim, ("vim",)),
        Job("gcc and make", 60, lambda: _compile(next(number)), ("gcc", "make")),
        Job("git", 75, lambda: _git(next(number)), ("git",)),
        Job("python: environment and package", 300, _python, ("python3",)),
        Job("tar and rsync", 180, _backup, ("tar", "rsync")),
        Job("configuration and units", 200, lambda: _administer(next(number))),
    ]


def _save() -> None:
    """Save as editors do: a swap file, a new file beside, the old one kept, the name moved over."""
    path = SOURCES / "notes.py"
    swap = SOURCES / ".notes.py.swp"
    swap.write_bytes(b"b0VIM 9.0" + bytes(200))
    new = SOURCES / "notes.py.tmp"
    new.write_text(f"#!/usr/bin/env python3\nprint({time.time()})\n")
    new.chmod(0o755)
    if path.exists():
        shutil.copy2(path, SOURCES / "notes.py~")
    new.rename(path)
    swap.unlink()
    (SOURCES / "#todo#").write_text("autosaved")  # Emacs
    (SOURCES / "#todo#").unlink()


def _vim() -> None:
    typed = f"normal Go{time.time()}"
    as_user(["vim", "-es", "-u", "NONE", "-c", "set backup", "-c", typed, "-c", "wq", SOURCES / "a.txt"])


def _compile(number: int) -> None:
    (SOURCES / "hello.c").write_text(_MAIN.format(number))
    (SOURCES / "part.c").write_text(f"int part(void) {{ return {number}; }}\n")
    (SOURCES / "Makefile").write_text(_MAKEFILE)
    owned(SOURCES.iterdir())
    as_user(["make", "-C", SOURCES, "clean", "all"])
    as_user([SOURCES / "hello"])


def _git(number: int) -> None:
    repository = HOME / "repository"
    if not repository.exists():
        as_user(["git", "init", "-q", repository])
        for name, value in (("user.name", "Replay"), ("user.email", "replay@example.com")):
            as_user(["git", "-C", repository, "config", name, value])
    (repository / f"file{number % 10}.py").write_text(f"N = {number}\n")
    owned(p for p in repository.iterdir() if p.is_file())
    as_user(["git", "-C", repository, "add", "-A"])
    as_user(["git", "-C", repository, "commit", "-q", "-m", f"change {number}"])
    shutil.rmtree(HOME / "clone", ignore_errors=True)
    as_user(["git", "clone", "-q", repository, HOME / "clone"])


def _python() -> None:
    """A virtual environment and a wheel of our own installed into it, without any network."""
    shutil.rmtree(HOME / "venv", ignore_errors=True)
    as_user(["/usr/bin/python3", "-m", "venv", "--without-pip", HOME / "venv"])
    wheel = HOME / "shop-1-py3-none-any.whl"
    _build_wheel(wheel)
    owned([wheel])
    pips = sorted(Path("/usr/share/python-wheels").glob("pip-*.whl"))
    if pips:  # pip out of Debian's wheel, as `python3-venv` does it
        as_user([HOME / "venv/bin/python", pips[-1] / "pip", "install", "-q", "--no-index", *pips, wheel])
    as_user([HOME / "venv/bin/python", "-m", "compileall", "-q", SOURCES])


def _build_wheel(path: Path) -> None:
    """Write a wheel (format: PEP 427)."""
    inner = "shop-1.dist-info"
    names = ("shop/__init__.py", f"{inner}/METADATA", f"{inner}/WHEEL", f"{inner}/RECORD")
    texts = (
        f"AT = {time.time()}\n",
        "Metadata-Version: 2.1\nName: shop\nVersion: 1\n",
        "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "".join(f"{name},,\n" for name in names),
    )
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in zip(names, texts, strict=True):
            wheel.writestr(name, text)


def _backup() -> None:
    backup = Path("/var/backups/replay")
    backup.mkdir(parents=True, exist_ok=True)
    run(["rsync", "-a", "--delete", f"{HOME}/src/", backup / "src"])
    run(["rsync", "-a", "--backup", "/etc/nginx/", backup / "nginx"]) if Path("/etc/nginx").exists() else None
    run(["tar", "-czf", backup / "home.tgz", "-C", HOME, "src"])
    run(["tar", "-xzf", backup / "home.tgz", "-C", "/tmp"])
    shutil.rmtree("/tmp/src")


def _administer(number: int) -> None:
    """A unit, its drop-in and timer, a sysctl, a host name, a new tool for everybody."""
    units = Path("/etc/systemd/system")
    write(units / "replay.service", _UNIT.format(number))
    write(units / "replay.timer", "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n")
    write(units / "cron.service.d/limits.conf", f"[Service]\nMemoryMax={64 + number % 9}M\n")
    link = units / "timers.target.wants/replay.timer"
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(units / "replay.timer")
    write(Path("/etc/sysctl.d/90-replay.conf"), f"net.core.somaxconn = {1024 + number}\n")
    write(Path("/usr/local/bin/replay-tool"), _TOOL.format(number), 0o755)
    run(["/usr/local/bin/replay-tool"])
    kept = [line for line in Path("/etc/hosts").read_text().splitlines() if "replay" not in line]
    write(Path("/etc/hosts"), "\n".join([*kept, f"192.0.2.{number % 200} replay"]) + "\n")
