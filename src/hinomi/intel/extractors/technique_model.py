"""Techniques by the linear model: ranked candidates of English sentences, never verdicts."""

from __future__ import annotations

import math
from collections.abc import Iterable

from hinomi.intel.extractor import Candidate, ReadingContext
from hinomi.intel.techniques.crosswalk import OURS
from hinomi.intel.techniques.features import features
from hinomi.intel.techniques.model import TechniqueModel
from hinomi.intel.techniques.reading import Found, Mention, technique_reading
from hinomi.intel.vocabulary.techniques import techniques


class TechniqueModelExtractor:
    """Yields techniques that some sentence of an English report speaks of, by the model's score over the report."""

    name = "techniques"

    def extract(self, context: ReadingContext) -> Iterable[Candidate]:
        """Yield, for each technique whose sentences reach the threshold together, the best of them."""
        if context.language != "en":
            return
        reading = technique_reading(context)
        for found in reading.found():
            yield from (_candidate(reading.model, found, mention) for mention in found.mentions)


def _candidate(model: TechniqueModel, found: Found, mention: Mention) -> Candidate:
    technique = techniques()[model.labels[found.label]]
    attributes = {
        "score": round(mention.score, 2),
        "rank": mention.rank,
        "candidates": [[model.labels[n], round(score, 2)] for n, score in mention.ranked],
        "report_odds": round(found.odds, 2),
        "attack_version": model.about.get("attack_version", OURS),
    }
    if technique.successor:
        attributes["merged_into"] = technique.successor
    return Candidate(
        type="attack-technique", value=technique.id, span=mention.sentence.span, canonical=technique.name,
        confidence=20 + round(20 * _chance(found.odds) + 5 * _chance(2 * mention.score)),
        why="the model reads it from: " + ", ".join(model.evidence(features(mention.sentence.text), found.label)),
        attributes=attributes,
    )  # fmt: skip


def _chance(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


EXTRACTOR = TechniqueModelExtractor()
