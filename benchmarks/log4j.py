"""Log4j over a tree of 2,000 archives (1.7 GB, nested) and 20,000 other files, beside reading the same files once.

    python benchmarks/log4j.py [--folder DIR] [--archives N] [--libraries N] [--megabytes N] [--jobs N]

The tree is written by this script (inert classes with random pools; `--libraries` different libraries, packed again
and again, as on real servers), with planted copies of every band. Printed: warm wall time of one plain read, wall and
CPU time of the collector, peak memory of the largest process, recall and precision over the planted copies.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import io
import json
import os
import random
import resource
import sys
import tarfile
import tempfile
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
BANDS = ["beta", "open", "hosts", "enabled", "lookup", "jdbc"]
FOUND = {"vulnerable", "below-fix"}


def replica(name):
    spec = importlib.util.spec_from_file_location(f"replica_{name}", ROOT / "tests" / "replicas" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


JAVA = replica("java")


class Writer:
    """Writes the tree; `planted` maps a path to whether its copies must be found."""

    def __init__(self, folder, libraries, seed=7):
        self.random = random.Random(seed)
        self.folder = folder
        self.planted = {}
        self.words = [
            "".join(self.random.choices("abcdefghijklmnopqrstuvwxyzABCD", k=self.random.randint(4, 22)))
            for _ in range(6000)
        ]
        self.code = bytes(self.random.choices(range(256), weights=[9 if n % 5 else 40 for n in range(256)], k=1 << 20))
        self.libraries = [self.library(n) for n in range(libraries)]

    def a_class(self, name):
        data = JAVA.java_class(name, self.random.choices(self.words, k=self.random.randint(20, 120)))
        start = self.random.randrange(len(self.code) - 8000)
        return data + self.code[start : start + self.random.randint(200, 6000)]

    def library(self, number):
        members = {}
        for n in range(self.random.randint(40, 500)):
            name = f"org/lib{number}/{self.words[n]}/C{n}"
            members[f"{name}.class"] = self.a_class(name)
            if n % 20 == 0:
                members[f"org/lib{number}/res{n}.properties"] = " ".join(
                    self.random.choices(self.words, k=300)
                ).encode()
        return JAVA.jar(members | JAVA.pom(f"1.{number}", "org.lib", f"lib{number}"))

    def core(self, band):
        layout = self.random.choice([{}, {"core": "shaded/x/core"}, {"root": "BOOT-INF/classes/"}, {"core": "a/b"}])
        return JAVA.jar(JAVA.core_members(band, **layout))

    def payload(self, budget, band):
        """Return libraries up to about `budget` bytes, one copy of Log4j among them where a band is given."""
        members, size = {}, 0
        if band:
            members[f"WEB-INF/lib/{self.random.choice(self.words)}.bin"] = self.core(band)
        while size < budget:
            jar = self.random.choice(self.libraries)
            members[f"WEB-INF/lib/{len(members)}-{self.random.choice(self.words)}.jar"] = jar
            size += len(jar)
        members["unique.txt"] = self.random.randbytes(64).hex().encode()
        return members

    def archive(self, number, budget):
        band = self.random.choice(BANDS) if number % 17 == 0 else None
        members = self.payload(budget, band)
        kind = number % 5
        method = zipfile.ZIP_STORED if number % 2 else zipfile.ZIP_DEFLATED
        if kind == 3:
            out = io.BytesIO()
            with (
                tarfile.open(fileobj=out, mode="w:gz" if number % 2 else "w", compresslevel=1)
                if number % 2
                else tarfile.open(fileobj=out, mode="w") as tar
            ):
                for name, data in members.items():
                    info = tarfile.TarInfo(name)
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
            data, suffix = out.getvalue(), ".tgz" if number % 2 else ".tar"
        else:
            data, suffix = JAVA.jar(members, method), [".war", ".ear", ".zip", "", ".bin"][kind]
            if kind == 1:
                data = JAVA.jar(
                    {"app.war": data, "META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\n\n"}, zipfile.ZIP_STORED
                )
        path = self.folder / f"d{number % 40}" / f"a{number}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        if band:
            self.planted[str(path)] = band != "jdbc"
        return len(data)

    def others(self, count):
        for n in range(count):
            path = self.folder / f"o{n % 200}" / f"f{n}.{'txt' if n % 3 else 'dat'}"
            path.parent.mkdir(parents=True, exist_ok=True)
            text = " ".join(self.random.choices(self.words, k=self.random.randint(5, 400))).encode()
            path.write_bytes(text if n % 3 else b"\x00\x01" + text)


def build(folder, archives, libraries, megabytes, others):
    writer = Writer(folder, libraries)
    left = megabytes << 20
    for number in range(archives):
        left -= writer.archive(number, left // (archives - number) * 9 // 10)
    writer.others(others)
    (folder / "planted.json").write_text(json.dumps(writer.planted))


class Disk:
    """One file on disk, as the pipeline gives it; its digest is worked out as in a scan when `digest` asks."""

    def __init__(self, path, digest):
        from hinomi.evidence.view import Entry

        status = os.stat(path)
        self.path = path
        self.entry = Entry(os.fsencode(path), "file", status.st_size, 0, 0, 0, status.st_ino, 0, 1, 0.0, 0.0)
        with open(path, "rb") as file:
            self.head = file.read(4096)
            self.sha256 = (
                hashlib.file_digest(io.BytesIO(self.head) if not digest else file, "sha256").hexdigest()
                if digest
                else path
            )
        self.content_type = ""

    def read(self, limit):
        with open(self.path, "rb") as file:
            return file.read(limit)

    def open(self):
        return open(self.path, "rb")


@cache
def _shared():
    """Return the one collector of this process, as a scan has it."""
    from hinomi.evidence.collectors.libraries import Libraries

    return Libraries()


def scan_part(paths):
    from hinomi.evidence.target import Target
    from hinomi.model.findings import Coverage

    collector, coverage, found = _shared(), Coverage(), []
    target = Target("bench", "root", "bench", None, None)
    for path in paths:
        file = Disk(path, digest=False)
        if collector.wants(file.entry, file.head):
            found += [(r.container, r.state) for r in collector.examine(file, target, coverage) if r.state != "present"]
    return found, coverage.to_json()["missed"]


def read_all(paths):
    start = time.perf_counter()
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            while file.read(1 << 20):
                pass
    return time.perf_counter() - start


def measure(paths, jobs):
    start, before = time.perf_counter(), os.times()
    parts = [paths[n :: jobs * 8] for n in range(jobs * 8)]
    with ProcessPoolExecutor(jobs) as pool:
        results = list(pool.map(scan_part, parts))
    wall, after = time.perf_counter() - start, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu, [f for found, _ in results for f in found], [m for _, m in results if m]


def main(arguments: list[str] | tuple[str, ...] = ()) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--archives", type=int, default=2000)
    parser.add_argument("--libraries", type=int, default=250)
    parser.add_argument("--megabytes", type=int, default=1700)
    parser.add_argument("--others", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hinomi-bench-") as made:
        folder = options.folder or Path(made)
        if not (folder / "planted.json").exists():
            build(folder, options.archives, options.libraries, options.megabytes, options.others)
        report(folder, options.jobs)


def report(folder, jobs):
    planted = json.loads((folder / "planted.json").read_text())
    paths = sorted(str(p) for p in folder.rglob("*") if p.is_file() and p.name != "planted.json")
    size = sum(os.stat(p).st_size for p in paths)
    read_all(paths)
    plain = min(read_all(paths) for _ in range(3))
    wall, cpu, found, missed = measure(paths, jobs)
    hits = {container for container, state in found if state in FOUND}
    wanted = {path for path, open_ in planted.items() if open_}
    right = len(hits & wanted)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{len(paths)} files, {size / 1e6:.0f} MB, {len(wanted)} planted copies below the fix, {jobs} processes")
    print(f"read once, warm {plain:.2f} s | collector {wall:.2f} s wall, {cpu:.2f} s CPU = {wall / plain:.1f} x")
    print(f"peak memory of the largest process: {peak:.0f} MiB")
    print(f"recall {right / max(1, len(wanted)):.3f}, precision {right / max(1, len(hits)):.3f}, missed {missed}")


if __name__ == "__main__":
    main(sys.argv[1:])
