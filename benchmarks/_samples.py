"""Labelled samples of Log4j as it is met: every band of releases in every shape, and what only resembles it.

All classes are inert (constant pools without methods). A label says whether the sample must be called open to the
JNDI family's remote execution (`rce`), below the fixed releases at all (`full`), or impossible to look into (`closed`).
"""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks._measure import ROOT

BANDS = ("beta", "open", "hosts", "enabled", "lookup", "jdbc")
RCE = frozenset({"beta", "open", "hosts"})
BELOW = RCE | {"enabled", "lookup"}
FIXED_BRANCHES = ("2.3.2", "2.12.4", "2.17.1", "2.25.4")
SUFFIXES = (".jar", ".war", ".bin", ".dat", ".tmp", ".class", ".jar.bak", ".jar.disabled", ".exe", ".so", "")
Members = dict[str, bytes]


def replica(name: str):
    """Load a builder of the tests."""
    spec = importlib.util.spec_from_file_location(f"replica_{name}", ROOT / "tests" / "replicas" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


JAVA = replica("java")


class Sample(NamedTuple):
    """Files by path below the sample's own folder, and what must be said of them."""

    name: str
    files: Members
    rce: bool = False
    full: bool = False
    closed: bool = False


def samples() -> Iterator[Sample]:
    """Yield all samples."""
    for band in BANDS:
        yield from _of_band(band)
    yield from _fixed_branches()
    yield from _mitigated()
    yield from _look_alikes()
    yield from _closed()


def _of_band(band: str) -> Iterator[Sample]:
    def sample(name: str, files: Members) -> Sample:
        return Sample(f"{band} {name}", files, band in RCE, band in BELOW)

    jar = JAVA.jar(JAVA.core_members(band))
    for suffix in SUFFIXES:
        yield sample(f"named library{suffix}", {f"library{suffix}": jar})
    for name, members in _layouts(band).items():
        yield sample(name, {"app.jar": JAVA.jar(members)})
        yield sample(f"{name}, stored", {"app.jar": JAVA.jar(members, zipfile.ZIP_STORED)})
        yield sample(f"{name}, unpacked on disk", members)
    for name, wrap in WRAPPERS.items():
        yield sample(f"in {name}", {"outer": wrap(jar)})
        yield sample(f"in {name} in a zip", {"outer.zip": JAVA.jar({"inner": wrap(jar), "read.me": b"text " * 99})})
    fixed, own = JAVA.jar(JAVA.core_members("jdbc")), JAVA.jar(JAVA.core_members(band))
    yield sample("beside a fixed copy", {"app.war": JAVA.jar({"a.jar": fixed, "b.jar": own, "c.jar": fixed})})
    uber = JAVA.core_members("jdbc", root="BOOT-INF/a/") | JAVA.core_members(band, root="BOOT-INF/b/")
    yield sample("and a fixed copy in one jar", {"uber.jar": JAVA.jar(uber)})
    lie = JAVA.pom("2.25.4" if band != "jdbc" else "2.14.1")
    yield sample("with metadata of another release", {"app.jar": JAVA.jar(JAVA.core_members(band) | lie)})


def _layouts(band: str) -> dict[str, Members]:
    return {
        "as released": JAVA.core_members(band) | JAVA.pom("2.0"),
        "shaded": JAVA.core_members(band, core="com/vendor/shaded/log4j/core"),
        "relocated to short names": JAVA.core_members(band, core="a/b"),
        "in a web application": JAVA.core_members(band, root="WEB-INF/classes/"),
        "hidden by an agent": JAVA.core_members(band, root="agent/inst/", suffix=".esclazz"),
        "hidden as class data": JAVA.core_members(band, core="x/core", root="inst/", suffix=".classdata"),
    }


def _tar(mode: str) -> Callable[[bytes], bytes]:
    def wrap(data: bytes) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode=mode) as archive:
            info = tarfile.TarInfo("opt/lib/core")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        return out.getvalue()

    return wrap


WRAPPERS: dict[str, Callable[[bytes], bytes]] = {
    "a tar": _tar("w"),
    "a tar.gz": _tar("w:gz"),
    "a tar.bz2": _tar("w:bz2"),
    "a tar.xz": _tar("w:xz"),
    "gzip alone": gzip.compress,
    "bzip2 alone": bz2.compress,
    "xz alone": lzma.compress,
    "a self-extracting script": lambda data: b'#!/bin/sh\nexec java -jar "$0" "$@"\n' + data,
    "a program": lambda data: b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0" + bytes(2000) + data,
    "two jars": lambda data: JAVA.jar({"lib/one": JAVA.jar({"two.bin": data}), "x.txt": b"x" * 100}),
    "a Spring Boot jar": lambda data: JAVA.jar({"BOOT-INF/lib/core-1.0": data}, zipfile.ZIP_STORED),
    "twelve jars": lambda data: _nested(data, 10),
}


def _nested(data: bytes, depth: int) -> bytes:
    for _ in range(depth):
        data = JAVA.jar({"in": data})
    return data


def _fixed_branches() -> Iterator[Sample]:
    for version in FIXED_BRANCHES:
        members = JAVA.core_members("jdbc") | JAVA.pom(version)
        yield Sample(f"fixed {version}", {f"log4j-core-{version}.jar": JAVA.jar(members)})
        yield Sample(f"fixed {version}, named as an old one", {"log4j-core-2.14.1.jar": JAVA.jar(members)})


def _mitigated() -> Iterator[Sample]:
    for band in ("open", "hosts"):
        members = JAVA.core_members(band) | JAVA.pom("2.14.1")
        key = next(name for name in members if name.endswith("JndiLookup.class"))
        rest = {name: data for name, data in members.items() if name != key}
        for name, change in {
            "removed": {}, "emptied": {key: b""}, "renamed": {key.replace(".class", ".vulne"): members[key]},
        }.items():  # fmt: skip
            yield Sample(f"{band}, JndiLookup {name}", {"core.jar": JAVA.jar(rest | change)})


def _look_alikes() -> Iterator[Sample]:
    def of(name: str, texts: list[str], classes: list[str]) -> Members:
        return {f"{name}.class": JAVA.java_class(name, texts, classes)}

    jndi = ["java.naming.factory.initial", "java.naming.provider.url", "lookup"]
    head = ["No appenders could be found for logger (", "Please initialize the log4j system properly."]
    lookalikes = {
        "a JNDI helper": of(
            "org/s/JndiLocator", ["java:comp/env/", "convertJndiName", "resourceRef"], ["javax/naming/N"]
        ),
        "another's context": of("org/q/Provider", [*jndi, "getConnection"], ["javax/naming/InitialContext"]),
        "log4j 1.2": of("org/apache/log4j/Hierarchy", head, []) | JAVA.pom("1.2.17", "log4j", "log4j"),
        "log4j-api": of("org/apache/logging/log4j/Logger", ["JNDI"] * 9, []) | JAVA.pom("2.14.1", artifact="log4j-api"),
        "a bridge": of("org/apache/log4j/Hierarchy", head, ["org/apache/logging/log4j/LogManager"]),
        "metadata alone": JAVA.pom("2.14.1") | {"read.me": b"no class"},
        "a class called so": of("com/ide/JndiLookup", ["JndiLookup", "psi"], []),
    }
    for name, members in lookalikes.items():
        yield Sample(name, {"log4j-core-2.14.1.jar": JAVA.jar(members)})
        yield Sample(f"{name} in a war", {"a.war": JAVA.jar({"WEB-INF/lib/log4j-core-2.14.1.jar": JAVA.jar(members)})})


def _closed() -> Iterator[Sample]:
    """What nobody can look into must be said: silence would read as clean."""
    plain = JAVA.jar(JAVA.core_members("open"))
    locked = bytearray(plain)
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = locked.find(mark)
        while at >= 0:
            locked[at + flags] |= 1
            at = locked.find(mark, at + 4)
    yield Sample("encrypted", {"locked.jar": bytes(locked)}, closed=True)
    yield Sample("truncated", {"cut.jar": plain[: len(plain) * 2 // 5]}, closed=True)
    yield Sample("rar", {"a.rar": b"Rar!\x1a\x07\x01\x00" + bytes(range(256)) * 4}, closed=True)
    yield Sample("cut tar.gz", {"a.tgz": _tar("w:gz")(plain)[:-700]}, closed=True)


def write(folder: Path) -> dict[str, Sample]:
    """Write every sample into a folder of its own; return them by its name."""
    made = {}
    for number, sample in enumerate(samples()):
        place = folder / f"s{number:03}"
        for name, data in sample.files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        made[place.name] = sample
    return made
