"""Damages images of every kind that can be made here, opens and walks them as a scan does, and tells what died or hung.

    python tools/fuzz_images.py --minutes 10 [--seed 1] [--keep FOLDER] [KIND ...]

Each variant is cut off somewhere, has bits flipped (most of them near its beginning, where the tables stand), or has a
piece written over with another piece. A variant that ends the examining process, or makes it hang, is kept in `--keep`.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from hinomi.detect.catalogue import Catalogue
from hinomi.evidence.apart import processes
from hinomi.evidence.options import ScanOptions
from hinomi.examples.replica import build_replica
from hinomi.flow.apart import image_apart
from hinomi.flow.scanning import open_target
from hinomi.model.errors import TargetError
from hinomi.model.findings import Coverage

TESTS = Path(__file__).parents[1] / "tests"
HEAD = 64 << 10
DISKS = ("qcow2", "vmdk", "vhdx", "vpc")
WRONG = ("crashed", "timeout")


def main() -> int:
    """Run for the time given; 1 where anything died or hung."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    os.nice(10)
    processes.STALL_SECONDS = 120.0
    with tempfile.TemporaryDirectory() as folder:
        images = made(Path(folder), set(arguments.kinds))
        print(f"{len(images)} kinds: {' '.join(images)}", flush=True)
        return damaged(images, Path(folder), arguments)


def made(folder: Path, chosen: set[str]) -> dict[str, Path]:
    """Build one image of every kind that the machine's tools can make."""
    tree = folder / "tree"
    build_replica(tree, seed=3)
    builders = module(TESTS / "evidence/images/conftest.py")
    found: dict[str, Path] = {}
    for kind, build in {**builders.BUILDERS, **further(builders)}.items():
        out = folder / f"{kind}.img"
        try:
            if not chosen or kind in chosen:
                build(tree, out)
                found[kind] = out
        except BaseException as error:  # noqa: BLE001 - a skipped test is no Exception; a missing tool costs its kind
            print(f"not made: {kind}: {error}"[:160], flush=True)
    return found


def further(builders: ModuleType) -> dict[str, Callable[[Path, Path], None]]:
    """Return what the tests of image views do not build: disks of virtual machines, archives."""
    rar, exfat = module(TESTS / "replicas/rar.py"), module(TESTS / "evidence/images/test_exfat.py")

    def disk(form: str) -> Callable[[Path, Path], None]:
        def build(folder: Path, out: Path) -> None:
            builders.ext("ext2")(folder, out.with_suffix(".raw"))
            builders.run("qemu-img", "convert", "-f", "raw", "-O", form, out.with_suffix(".raw"), out)

        return build

    def archive(form: str) -> Callable[[Path, Path], None]:
        return lambda folder, out: shutil.move(shutil.make_archive(str(out), form, folder), out)

    def seven(folder: Path, out: Path) -> None:
        builders.run("7zz", "a", "-t7z", out, f"{folder}/.")

    def stored(folder: Path, out: Path) -> None:
        names = [path for path in folder.rglob("*") if path.is_file()]
        out.write_bytes(rar.rar_5({str(path.relative_to(folder)): path.read_bytes() for path in names}))

    def stick(_: Path, out: Path) -> None:
        exfat.stick(out)

    others = {"zip": archive("zip"), "7z": seven, "rar": stored, "exfat": stick}
    return {form: disk(form) for form in DISKS} | others


def module(path: Path) -> ModuleType:
    """Load a file of the tests."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None  # a path always has both
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def damaged(images: dict[str, Path], folder: Path, arguments: argparse.Namespace) -> int:
    """Damage and examine until the time is over; return the exit code."""
    chance = random.Random(arguments.seed)
    until = time.monotonic() + 60 * arguments.minutes
    told: Counter[str] = Counter()
    variant = folder / "variant"
    while time.monotonic() < until:
        kind = chance.choice(list(images))
        words = damage(images[kind], variant, chance)
        begun = time.process_time()
        for cause in examined(variant, folder):
            told[cause] += 1
            if cause.startswith(WRONG):
                print(f"{kind}: {words}: {cause}", flush=True)
                keep(variant, arguments.keep, kind)
        told["variants"] += 1
        told["CPU seconds of this process"] += int(time.process_time() - begun)
    print(", ".join(f"{what}: {count}" for what, count in told.most_common(40)))
    return int(any(what.startswith(WRONG) for what in told))


def damage(image: Path, variant: Path, chance: random.Random) -> str:
    """Write a damaged copy; return what was done to it."""
    shutil.copyfile(image, variant)  # sparse images stay cheap: the disk copies them by reference or skips zeros
    size = image.stat().st_size
    way = chance.choice(("cut", "flip", "flip", "flip", "over"))
    with variant.open("r+b") as file:
        if way == "cut":
            at = chance.randrange(size)
            file.truncate(at)
            return f"cut at {at}"
        if way == "over":
            start, at, length = chance.randrange(size), chance.randrange(min(size, HEAD)), chance.randrange(1, 4096)
            file.seek(start)
            piece = file.read(length)
            file.seek(at)
            file.write(piece)
            return f"{length} bytes of {start} over {at}"
        places = [
            chance.randrange(min(size, HEAD) if chance.random() < 0.7 else size) for _ in range(chance.randint(1, 12))
        ]
        for at in places:
            file.seek(at)
            old = file.read(1)
            file.seek(at)
            file.write(bytes([(old or b"\0")[0] ^ 1 << chance.randrange(8)]))
        return f"flipped at {places}"


def examined(variant: Path, folder: Path) -> list[str]:
    """Open and walk a variant; return why it, or what of it, could not be read."""
    options = ScanOptions(jobs=1)
    coverage = Coverage()
    try:
        apart = image_apart(
            str(variant), lambda: open_target(str(variant), exclude=[folder], options=options),
            Catalogue(()), options, folder,
        )  # fmt: skip
    except TargetError as error:
        return [error.cause if error.cause.startswith(WRONG) else "not opened"]
    try:
        coverage.merge(apart.said)
        for look in apart.looks():
            look.tell(lambda _: None, coverage)
    finally:
        apart.close()
    return [f"{miss.reason}: {miss.detail}" if miss.reason in WRONG else miss.reason for miss in coverage.misses]


def keep(variant: Path, folder: Path | None, kind: str) -> None:
    """Keep a variant for a look of its own."""
    if folder is not None:
        folder.mkdir(exist_ok=True)
        shutil.copyfile(variant, folder / f"{kind}-{len(list(folder.iterdir()))}")


if __name__ == "__main__":
    sys.exit(main())
