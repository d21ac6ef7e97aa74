"""Run the command line in this process, as a user would."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from hinomi.cli.main import main


@dataclass
class Ran:
    """What a command printed and how it left."""

    code: int
    out: str
    err: str


class Terminal:
    """Runs `hinomi` with a case of its own."""

    def __init__(self, case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.case = case
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Ran:
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["hinomi", *arguments])
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            with pytest.raises(SystemExit) as left:
                main()
        return Ran(int(left.value.code or 0), _text(out), _text(err))

    def with_case(self, *arguments: str, stdin: bytes = b"") -> Ran:
        return self(*arguments, "--case", str(self.case), stdin=stdin)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8")


@pytest.fixture
def hinomi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    for name in ("HINOMI_CASE", "HINOMI_STATE", "HINOMI_LANG", "HINOMI_FORMAT", "HINOMI_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    return Terminal(tmp_path / "case", monkeypatch)


@pytest.fixture
def honest_root(tmp_path: Path) -> Path:
    """A small root with nothing wrong in it."""
    root = tmp_path / "root"
    for path, text in {
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nwww:x:33:33::/var/www:/usr/sbin/nologin\n",
        "etc/shadow": "root:!:19000:0:99999:7:::\nwww:*:19000:0:99999:7:::\n",
        "etc/group": "root:x:0:\nwww:x:33:\n",
        "etc/hostname": "quiet\n",
        "etc/cron.d/backup": "0 3 * * * root /usr/local/bin/backup.sh\n",
        "usr/local/bin/backup.sh": "#!/bin/sh\ntar czf /backup/etc.tgz /etc\n",
    }.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    (root / "etc/shadow").chmod(0o600)
    return root
