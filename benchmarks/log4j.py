"""Log4j: how well its copies are found, and how fast in a tree of 2,000 archives (1.7 GB) and 20,000 other files.

    python -m benchmarks log4j [--archives N] [--megabytes N] [--others N] [--runs 3] [--jobs N] [--folder DIR]

Quality is measured over labelled samples (`_samples.py`), alone, then over the copies planted in the tree. The tree is
written by this script (inert classes with random pools; `--libraries` different libraries, packed again and again, as
on real servers). The whole pipeline with the one collector runs over it, digests and all, beside `cat` of every file.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile
import traceback
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks._measure import Bar, judge, note, rounds, table, verdict
from benchmarks._samples import BANDS, JAVA, Sample, write

JOB = str(Path(__file__).with_name("_job.py"))
RCE, FULL = frozenset({"vulnerable"}), frozenset({"vulnerable", "below-fix"})
QUALITY_BAR = 0.99
BARS = (Bar("log4j over the tree / cat", "log4j", "cat", 4),)
MEMORY_BAR = 300


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
            made = {"mode": "w:gz", "compresslevel": 1} if number % 2 else {"mode": "w"}
            with tarfile.open(fileobj=out, **made) as tar:
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
            self.planted[f"/{path.relative_to(self.folder)}"] = band != "jdbc"
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


def apart(work: Callable[[], None]) -> None:
    """Do it in a process of its own: what is started from a large process is said to be as large."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001 - the border of a process: told, then ended
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        raise SystemExit("the tree could not be written")


def main(arguments: Sequence[str] = ()) -> int:
    """Build, measure and print."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="hinomi-bench-") as made:
        good = _quality(Path(made), options.jobs)
        folder = options.folder or Path(made, "tree")
        if not (folder / "planted.json").exists():
            note("writing the tree ...")
            folder.mkdir(parents=True, exist_ok=True)
            apart(lambda: build(folder, options.archives, options.libraries, options.megabytes, options.others))
        good &= _speed(folder, Path(made, "found.json"), options)
    return 0 if good else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks log4j", description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the tree stands, or is made and stays")
    parser.add_argument("--archives", type=int, default=2000)
    parser.add_argument("--libraries", type=int, default=250)
    parser.add_argument("--megabytes", type=int, default=1700)
    parser.add_argument("--others", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    return parser.parse_args(arguments)


def _command(tree: Path, out: Path, jobs: int) -> list[str]:
    return [sys.executable, JOB, "libraries", str(tree), "--jobs", str(jobs), "--out", str(out)]


def _quality(folder: Path, jobs: int) -> bool:
    """Print recall and precision over the labelled samples; each stands in a folder of its own."""
    samples = write(folder / "samples")
    out = folder / "samples.json"
    subprocess.run(_command(folder / "samples", out, jobs), check=True)
    told = json.loads(out.read_text())
    states: dict[str, set[str]] = {}
    for container, state in told["found"]:
        states.setdefault(container.split("/")[1], set()).add(state)
    good = _score("rce", {k for k, s in samples.items() if s.rce}, {k for k, s in states.items() if s & RCE}, samples)
    good &= _score(
        "full", {k for k, s in samples.items() if s.full}, {k for k, s in states.items() if s & FULL}, samples
    )
    closed = sum(sample.closed for sample in samples.values())
    print(f"could not be opened: {closed} samples, and the coverage says {told['missed']}\n")
    return good


def _score(name: str, wanted: set[str], hits: set[str], samples: dict[str, Sample]) -> bool:
    for kind, keys in (("missed", wanted - hits), ("wrongly found", hits - wanted)):
        for key in sorted(keys):
            print(f"  {kind} as {name}: {samples[key].name}")
    recall, precision = len(hits & wanted) / len(wanted), len(hits & wanted) / max(1, len(hits))
    met = min(recall, precision) >= QUALITY_BAR
    counts = f"{len(samples)} samples, {len(wanted)} of them {name}"
    end = "met" if met else "not met"
    print(f"{counts}: recall {recall:.3f}, precision {precision:.3f} (bar {QUALITY_BAR}): {end}")
    return met


def _speed(folder: Path, out: Path, options: argparse.Namespace) -> bool:
    """Print time and memory beside `cat`, and whether every planted copy was found."""
    planted = json.loads((folder / "planted.json").read_text())
    cat = ["sh", "-c", f"find '{folder}' -type f -print0 | xargs -0 cat"]
    subprocess.run(cat, check=True, stdout=subprocess.DEVNULL)
    medians = rounds({"cat": cat, "log4j": _command(folder, out, options.jobs)}, options.runs)
    files = [path for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    table(medians, f"{len(files):,} files, {size:,.0f} MB, medians of {options.runs} paired runs")
    good = judge(medians, BARS)
    if "log4j" not in medians:
        return False
    good &= verdict("peak memory of the largest process", medians["log4j"].memory, MEMORY_BAR, " MiB")
    found = {container for container, state in json.loads(out.read_text())["found"] if state in FULL}
    wanted = {path for path, is_open in planted.items() if is_open}
    print(
        f"planted copies: recall {len(found & wanted) / max(1, len(wanted)):.3f}, "
        f"precision {len(found & wanted) / max(1, len(found)):.3f}"
    )
    return good and found == wanted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
