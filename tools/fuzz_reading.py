"""Fuzz the report reader: `python tools/fuzz_reading.py SECONDS [SEED]`.

Mutates the bundled reports, and any texts named in FUZZ_TEXTS (a folder), byte-wise, by blocks, by splicing in hostile
runs and by changing encodings, and checks that reading gives a report whose spans hold, or one of our errors. Prints
what it did; leaves with 1 at the first other exception, with the input beside it.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

from hinomi.intel.read import read_report
from hinomi.model.errors import HinomiError

REPORTS = Path(__file__).resolve().parent.parent / "src" / "hinomi" / "examples" / "reports"
RUNS = [
    "[.]",
    "hxxp://",
    "((((",
    "「「「",
    "0123456789abcdef",
    "../",
    "%",
    "&#x",
    "<td>",
    "\u200b",
    "．",
    "CVE-",
    "{{",
    "\n\n",
    "a.b.",
]
ENCODINGS = ["utf-8", "cp932", "euc_jp", "iso2022_jp", "utf-16", "utf-8-sig"]
MAX_BYTES = 400_000


def corpus() -> list[bytes]:
    """Return the texts to begin with."""
    folders = [REPORTS, *(Path(p) for p in [os.environ.get("FUZZ_TEXTS", "")] if p)]
    texts = [p.read_bytes() for folder in folders for p in sorted(folder.iterdir()) if p.is_file()]
    html = (
        b"<html><body><article><h1>t</h1><p>"
        + texts[0]
        + b"</p><table><tr><td>1</td></tr></table></article></body></html>"
    )
    pdf = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>"
    mail = (
        b"From: a@b.example\r\nSubject: =?iso-2022-jp?B?GyRCJCIbKEI=?=\r\nContent-Type: text/plain\r\n\r\n" + texts[0]
    )
    return [
        *texts,
        html,
        pdf,
        mail,
        b'{"type":"bundle","objects":[{"type":"indicator","pattern":"[ipv4-addr:value = \'203.0.113.9\']"}]}',
    ]


def mutated(rng: random.Random, texts: list[bytes]) -> bytes:
    """Return one input."""
    data = bytearray(rng.choice(texts))
    for _ in range(rng.randint(1, 12)):
        kind = rng.randrange(6)
        at = rng.randrange(len(data) + 1)
        if kind == 0 and data:
            data[at - 1] = rng.randrange(256)
        elif kind == 1:
            del data[at : at + rng.randrange(400)]
        elif kind == 2:
            data[at:at] = rng.choice(RUNS).encode() * rng.randrange(1, 3000)
        elif kind == 3:
            other = rng.choice(texts)
            cut = rng.randrange(len(other) + 1)
            data[at:at] = other[cut : cut + rng.randrange(5000)]
        elif kind == 4:
            data[at:at] = rng.randbytes(rng.randrange(200))
        else:
            data = bytearray(bytes(data).decode("utf-8", "replace").encode(rng.choice(ENCODINGS), "replace"))
    return bytes(data[:MAX_BYTES])


def main(seconds: float, seed: int) -> int:
    """Fuzz for `seconds`."""
    rng, texts = random.Random(seed), corpus()
    start = time.monotonic()
    count = errors = size = 0
    slowest = 0.0
    while time.monotonic() - start < seconds:
        data = mutated(rng, texts)
        began = time.monotonic()
        try:
            report = read_report("fuzz", data)
            broken = [c for c in report.claims if report.text[c.span[0] : c.span[1]] != c.text]
            assert not broken, broken[0]
        except HinomiError:
            errors += 1
        except Exception as error:  # noqa: BLE001  what the fuzzer is for
            Path("fuzz-crash.bin").write_bytes(data)
            print(f"crash after {count} inputs: {type(error).__name__}: {error} (input in fuzz-crash.bin)")
            return 1
        slowest = max(slowest, time.monotonic() - began)
        count, size = count + 1, size + len(data)
    took = time.monotonic() - start
    print(f"{count} inputs, {size / 1e6:.1f} MB in {took:.0f} s; {errors} refused; slowest {slowest:.2f} s; no crash")
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
