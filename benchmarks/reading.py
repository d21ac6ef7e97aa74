"""Measure reading against labelled texts: `python -m benchmarks reading [--only WORD] [--show] [--corpora DIR]`.

The corpora stand beside the checkout and are not packaged; without them only the speed rows run. One row is one
function in ROWS that returns measured figures with the bar each has to reach. To add a row, add a function.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from hinomi.intel.extractors.indicators import EXTRACTOR as INDICATORS
from hinomi.intel.read import merge, read_report
from hinomi.intel.sections import context_of
from hinomi.intel.techniques.model import technique_model
from hinomi.model.claims import Claim, Document

CORE = {"ipv4", "ipv6", "domain", "url", "email", "md5", "sha1", "sha256", "cve"}
NETWORK = {"ipv4", "ipv6", "domain", "url", "email"}


@dataclass(frozen=True)
class Figure:
    """One measured number; `at_least` tells whether the bar is a floor or a ceiling."""

    name: str
    value: float
    bar: float
    at_least: bool = True

    @property
    def reached(self) -> bool:
        return self.value >= self.bar if self.at_least else self.value <= self.bar


@dataclass
class Corpora:
    """The folder of labelled texts and its scorers."""

    folder: Path
    show: bool = False

    def lines(self, name: str) -> list[dict[str, Any]]:
        with open(self.folder / name, encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.strip()]

    def scorer(self, name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, self.folder / f"{name}.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.dont_write_bytecode = True
        spec.loader.exec_module(module)
        return module


def document(case: dict[str, Any]) -> Document:
    return Document(case["id"], case["text"], None, "utf-8", "text/plain", "0" * 64)


def indicator_claims(case: dict[str, Any]) -> tuple[Claim, ...]:
    context = context_of(document(case))
    return merge(context, INDICATORS.extract(context))


def item(claim: Claim) -> dict[str, str]:
    kind = claim.attributes.get("currency", claim.type) if claim.type == "wallet" else claim.type
    return {"type": kind, "value": claim.value}


def score(corpora: Corpora, gold: list[dict[str, Any]], types: set[str] | None) -> float:
    scorer = corpora.scorer("score_indicators")
    out = [{"id": case["id"], "items": [item(c) for c in indicator_claims(case)]} for case in gold]
    if types is not None:
        types = {scorer.norm(t, "x")[0] for t in types}
    table, _, errors, _ = scorer.score(gold, out, types)
    if corpora.show:
        for identifier, text, missed, wrong in errors:
            print(f"  {identifier} {text!r}\n      missed {missed}\n      wrong  {wrong}")
    return float(scorer.prf(scorer.tot(table))[2])


def hard_cases(corpora: Corpora) -> Iterator[Figure]:
    gold = corpora.lines("indicators_hard_dev.jsonl")
    japanese = [case for case in gold if "ja" in case["tags"]]
    english = [case for case in gold if "ja" not in case["tags"]]
    yield Figure("hard cases, core types, English F1", score(corpora, english, CORE), 0.95)
    yield Figure("hard cases, core types, Japanese F1", score(corpora, japanese, CORE), 0.95)
    yield Figure("hard cases, all types F1", score(corpora, gold, None), 0.90)


def real_reports(corpora: Corpora) -> Iterator[Figure]:
    gold = corpora.lines("indicators_reports_dev.jsonl")
    yield Figure("real reports, core types F1", score(corpora, gold, CORE), 0.98)
    yield Figure("real reports, network only F1", score(corpora, gold, NETWORK), 0.96)


def japanese_addresses(corpora: Corpora) -> Iterator[Figure]:
    cases = corpora.lines("names_ja_dev.jsonl")
    false = [c for case in cases for c in indicator_claims(case) if c.type in ("ipv4", "ipv6", "cidr")]
    if corpora.show:
        print("  ", [(c.value, c.text) for c in false])
    yield Figure("false addresses in Japanese articles", len(false), 0, at_least=False)


def read_names(corpora: Corpora, corpus: str, types: tuple[str, ...]) -> dict[str, float]:
    """Return F1 by type of the names, versions and places that `read_report` claims."""
    scorer = corpora.scorer("score_names")
    gold = corpora.lines(corpus)
    out = []
    for case in gold:
        claims = read_report(case["id"], case["text"].encode()).claims
        items = [{"type": c.type.removesuffix("-version"), "value": c.value, "canonical": c.canonical} for c in claims]
        out.append({"id": case["id"], "items": items})
    table, errors = scorer.score(gold, out, list(types))
    if corpora.show:
        for error in errors:
            print("  ", error)
    scores = {}
    for kind in types:
        right, wrong, missed = table[kind]
        scores[kind] = 2 * right / max(1, 2 * right + wrong + missed)
    return scores


def names_japanese(corpora: Corpora) -> Iterator[Figure]:
    bars = {"actor": 0.92, "malware": 0.92, "fixed": 0.95}
    scores = read_names(corpora, "names_ja_dev.jsonl", (*bars, "affected", "product", "sector", "country"))
    for kind, value in scores.items():
        yield Figure(f"names, Japanese: {kind} F1", value, bars.get(kind, 0.0))


def names_english(corpora: Corpora) -> Iterator[Figure]:
    bars = {"malware": 0.80, "actor": 0.75}
    for kind, value in read_names(corpora, "names_en_dev.jsonl", tuple(bars)).items():
        yield Figure(f"names, English: {kind} F1", value, bars[kind])


def techniques(corpora: Corpora) -> Iterator[Figure]:
    """What cross-validation with whole reports held out gave when the shipped model was trained."""
    held_out = technique_model().about["held_out"]
    yield Figure("techniques, held out: document micro-F1", held_out["document micro-F1"], 0.72)
    yield Figure("techniques, held out: hit@3 per labelled span", held_out["hit@3 per labelled span"], 0.90)
    yield Figure("techniques, held out: hit@3 per sentence", held_out["hit@3 per labelled sentence"], 0.90)


@dataclass(frozen=True)
class Took:
    """Seconds that some bytes took: the process's own, and the clock's."""

    size: int
    process: float
    wall: float


def speed_everything(corpora: Corpora) -> Iterator[Figure]:
    yield from _rates("everything", _medians(_everything, corpora.folder), 0.7)


def speed(corpora: Corpora) -> Iterator[Figure]:
    yield from _rates("indicators alone", _medians(_indicators, corpora.folder), 2.0)


PEERS: dict[str, tuple[str, Callable[[ModuleType, str], object]]] = {
    "ioc-finder": ("ioc_finder", lambda module, text: module.find_iocs(text)),
    "iocextract": ("iocextract", lambda module, text: list(module.extract_iocs(text, refang=True))),
}
"""Other extractors of indicators, measured where they are installed: the module of each, and how it is asked."""


def speed_peers(corpora: Corpora) -> Iterator[Figure]:
    """How many times as fast as each peer, in one run: a ratio that holds whatever the machine does at the time."""
    for name, (module, _) in PEERS.items():
        if importlib.util.find_spec(module) is None:
            continue
        ours, theirs = (_medians(run, corpora.folder, 3) for run in (_indicators_by_report, partial(_peer, name)))
        yield Figure(f"{name}, MB/s of one core's time", theirs.size / 1e6 / theirs.process, 0.0)
        yield Figure(f"indicators alone, times as fast as {name}", theirs.process / ours.process, 1.0)


def _indicators_by_report(folder: Path) -> Took:
    cases = Corpora(folder).lines("indicators_reports_dev.jsonl")
    indicator_claims({"id": "warm", "text": WARM})
    return _timed(_bytes_of(cases), lambda: [indicator_claims(case) for case in cases])


def _peer(name: str, folder: Path) -> Took:
    cases = Corpora(folder).lines("indicators_reports_dev.jsonl")
    module, ask = importlib.import_module(PEERS[name][0]), PEERS[name][1]
    ask(module, WARM)
    return _timed(_bytes_of(cases), lambda: [ask(module, case["text"]) for case in cases])


def _bytes_of(cases: Sequence[dict[str, Any]]) -> int:
    return sum(len(case["text"].encode()) for case in cases)


def _medians(run: Callable[[Path], Took], folder: Path, times: int = 5) -> Took:
    """Return the medians of several runs, each in a new process: what one run learns, the next does not know."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        runs = pool.map(run, [folder] * times, chunksize=1)
    process, wall = (statistics.median(getattr(one, name) for one in runs) for name in ("process", "wall"))
    return Took(runs[0].size, process, wall)


WARM = """A backdoor called Xyzzy was found in SMA100 10.2.1.7; it calls hxxp://a.example[.]com/x in Japan.
The group creates a scheduled task and runs cmd.exe. | C&C | 192.0.2.1 |
「Xyzzy」と呼ばれるバックドアは、アカウントを追加します。
"""
"""A text that asks for everything that is loaded or compiled when first needed, but for the model of techniques."""
WARM_ENGLISH = WARM.rpartition("「")[0] * 4
"""The same in English only: no other text is shown to the model of techniques."""


def _everything(folder: Path) -> Took:
    texts = [case["text"].encode() for case in Corpora(folder).lines("indicators_reports_dev.jsonl")]
    # what is read once per process (vocabularies, the model, the list of public suffixes) is not the text's cost
    for text in (WARM, WARM_ENGLISH):
        read_report("warm", text.encode())
    return _timed(sum(map(len, texts)), lambda: [read_report("speed", text) for text in texts])


def _indicators(folder: Path) -> Took:
    path = folder / "indicators_reports_dev.jsonl"
    if path.is_file():
        text = "\n".join(case["text"] for case in Corpora(folder).lines(path.name)) * 4
    else:
        text = "The loader calls hxxp://203.0.113[.]9/a.php and drops kx.dll.\n" * 16000
    context = context_of(document({"id": "speed", "text": text}))
    return _timed(len(text.encode()), lambda: sum(1 for _ in INDICATORS.extract(context)))


def _timed(size: int, task: Callable[[], object]) -> Took:
    wall, process = time.perf_counter(), time.process_time()
    task()
    return Took(size, time.process_time() - process, time.perf_counter() - wall)


def _rates(what: str, took: Took, bar: float) -> Iterator[Figure]:
    yield Figure(f"{what}, MB/s of one core's time", took.size / 1e6 / took.process, bar)
    yield Figure(f"{what}, MB/s by the clock", took.size / 1e6 / took.wall, 0.0)


def hostile(_: Corpora) -> Iterator[Figure]:
    for name, unit in (
        ("dots", "a."),
        ("brackets", "[.]"),
        ("hex", "0a1b2c3d "),
        ("slashes", "/\\:@"),
        ("base64", "QmFz+/"),
    ):
        times = [_seconds(unit * (size // len(unit))) for size in (1 << 17, 1 << 19)]
        yield Figure(f"growth of time, 4 times the {name}", times[1] / max(times[0], 0.001), 8.0, at_least=False)


def _seconds(text: str) -> float:
    start = time.process_time()
    read_report("hostile", text.encode())
    return time.process_time() - start


ROWS: tuple[tuple[Callable[[Corpora], Iterator[Figure]], bool], ...] = (
    (hard_cases, True),
    (real_reports, True),
    (japanese_addresses, True),
    (names_japanese, True),
    (names_english, True),
    (techniques, False),
    (speed_everything, True),
    (speed, False),
    (speed_peers, True),
    (hostile, False),
)
"""Each row and whether it needs the corpora."""


def main(arguments: Sequence[str] = ()) -> int:
    """Print the rows; 1 where one falls short of its bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, default=Path(__file__).parents[2] / "shared" / "corpora" / "reading")
    parser.add_argument("--only", default="", help="run the rows whose name holds this word")
    parser.add_argument("--show", action="store_true", help="print what was missed and what was wrong")
    options = parser.parse_args(arguments)
    corpora = Corpora(options.corpora, options.show)
    failed = 0
    for row, needs in ROWS:
        if options.only not in row.__name__ or (needs and not options.corpora.is_dir()):
            continue
        for figure in row(corpora):
            sign = ">=" if figure.at_least else "<="
            mark = "ok" if figure.reached else "SHORT"
            print(f"{figure.name:45} {figure.value:8.3f}  {sign} {figure.bar:g}  {mark}", flush=True)
            failed += not figure.reached
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
