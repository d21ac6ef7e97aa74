"""Builds the compiled core: every C file in a room for it becomes an extension module beside it.

Hatchling calls the hook for wheels and editable installs; `make setup` runs this file when a C source has changed.
The modules use Python's limited API, so one build fits every Python from 3.11 on. Without a C compiler or Python's
headers, or with HINOMI_PURE=1, none is built, and without the headers of a library not those that need it: Hinomi then
runs the same work in Python.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a program, by a Python that only compiles
    BuildHookInterface = object  # type: ignore[assignment, misc]

ROOMS = (Path("src/hinomi/evidence/native"), Path("src/hinomi/intel/native"))
SUFFIX = ".abi3.so"
LIMITED_API = "0x030B0000"  # 3.11: the first with the buffer protocol in it
TAG = "cp311-abi3"
LIBRARIES = {"zlib.h": ("-lz", "zlib1g-dev")}  # header: what links the library, and its package in Debian
# -ffp-contract=off: times are compared with those that Python computes, to the last bit
FLAGS = "-std=gnu11 -O2 -fPIC -shared -fvisibility=hidden -fstack-protector-strong -ffp-contract=off -Wall -Wextra"


class BuildHook(BuildHookInterface):  # type: ignore[misc, type-arg]
    """Adds the compiled modules to a wheel and names the platform it fits."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; `version` is `standard` or `editable`."""
        made = build(Path(self.root))
        if not made or version == "editable":
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"{TAG}-{platform}"
        build_data["artifacts"].extend(str(path.relative_to(self.root)) for path in made)


def build(root: Path, *flags: str) -> list[Path]:
    """Compile every source beside itself and return the modules; none, said, where that cannot be done here."""
    sources = sorted(source for room in ROOMS for source in (root / room).glob("*.c"))
    obstacle = _obstacle()
    if obstacle:
        for source in sources:
            _module(source).unlink(missing_ok=True)
        sys.stderr.write(f"hinomi: built without its compiled core: {obstacle}\n")
        return []
    return [module for source in sources if (module := _built(source, *flags)) is not None]


def _built(source: Path, *flags: str) -> Path | None:
    """Return the module of one source; None, said, where a library that it includes has no headers here."""
    needed = [header for header in LIBRARIES if f"#include <{header}>" in source.read_text()]
    for header in needed:
        if not _has(header):
            _module(source).unlink(missing_ok=True)
            package = LIBRARIES[header][1]
            sys.stderr.write(f"hinomi: built without {source.name}: {header} is missing (Debian: {package})\n")
            return None
    return _compile(source, *flags, libraries=[LIBRARIES[header][0] for header in needed])


def _has(header: str) -> bool:
    command = [*_compiler(), "-E", "-x", "c", "-include", header, os.devnull]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def _obstacle() -> str | None:
    if os.environ.get("HINOMI_PURE") == "1":
        return "HINOMI_PURE is 1"
    if not sys.platform.startswith("linux"):
        return "it speaks to Linux only"
    if shutil.which(_compiler()[0]) is None:
        return f"no C compiler ({_compiler()[0]})"
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        return "Python.h is missing (Debian: python3-dev)"
    return None


def _compiler() -> list[str]:
    return shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")


def _module(source: Path) -> Path:
    return source.with_name(source.stem + SUFFIX)


def _compile(source: Path, *flags: str, libraries: list[str]) -> Path:
    """Compile one source under another name first: who has the old module loaded keeps it."""
    module = _module(source)
    part = module.with_name(f".{module.name}.{os.getpid()}")
    command = [*_compiler(), *FLAGS.split(), *flags, f"-DPy_LIMITED_API={LIMITED_API}"]
    command += [f"-I{sysconfig.get_path('include')}", "-o", str(part), str(source), "-ldl", *libraries]
    try:
        subprocess.run(command, check=True)
        part.replace(module)
    finally:
        part.unlink(missing_ok=True)
    return module


if __name__ == "__main__":
    build(Path(__file__).parent, *sys.argv[1:])
