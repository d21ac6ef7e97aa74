"""Techniques by the linear model: ranked candidates of English sentences, never verdicts."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from hinomi.intel.extractor import Candidate, ReadingContext, Sentence
from hinomi.intel.names.words import advice_starts, words_of
from hinomi.intel.techniques.crosswalk import OURS
from hinomi.intel.techniques.features import features, stem
from hinomi.intel.techniques.model import TechniqueModel, best_of, technique_model
from hinomi.intel.vocabulary.behaviours import technique_names

_SHORTEST = 12
RANKS = 3
"""Techniques that a sentence is taken to speak of at most."""
LOWEST = -1.5
"""The score of a sentence among whose first ranks a technique is not."""
_APART = 0.5
"""Sentences that score this much less than a technique's best are not shown as its evidence."""
_MAX_SENTENCES = 20_000
"""Sentences scored per report: it bounds time."""


class Mention(NamedTuple):
    """A sentence, the rank and the score of one technique in it, and all (label, score) it may speak of."""

    sentence: Sentence
    rank: int
    score: float
    ranked: list[tuple[int, float]]


class TechniqueModelExtractor:
    """Yields techniques that some sentence of an English report speaks of, by the model's score over the report."""

    name = "techniques"

    def extract(self, context: ReadingContext) -> Iterable[Candidate]:
        """Yield, for each technique whose sentences reach the threshold together, the best of them."""
        if context.language != "en":
            return
        model = technique_model()
        for label, odds, mentions in techniques_of(context, model):
            yield from (_candidate(model, label, odds, mention) for mention in mentions)


def techniques_of(context: ReadingContext, model: TechniqueModel) -> Iterator[tuple[int, float, list[Mention]]]:
    """Yield the labels that a report speaks of, the log odds that it does, and the sentences that say so."""
    mentions: dict[int, list[Mention]] = defaultdict(list)
    for sentence in _telling(context, model):
        ranked = best_of(model.scores(features(sentence.text)), RANKS)
        for rank, (label, score) in enumerate(ranked, 1):
            mentions[label].append(Mention(sentence, rank, score, ranked))
    for label in sorted(mentions):
        scores = sorted((mention.score for mention in mentions[label]), reverse=True)
        best = scores[0]
        odds = model.report_odds(label, best, second_best(best, scores[1] if len(scores) > 1 else LOWEST))
        if odds >= model.threshold:
            yield label, odds, [mention for mention in mentions[label] if mention.score >= best - _APART]


def second_best(best: float, second: float) -> float:
    """Return the second-best score, not far below the best: a short report says a thing only once."""
    return max(second, best - _APART)


def _telling(context: ReadingContext, model: TechniqueModel) -> Iterator[Sentence]:
    """The sentences worth scoring: narration that holds a word the model gives weight to."""
    words = words_of(context)
    heads = {stem[:_STEM_HEAD] for stem in model.strong}
    strong = [word for word in words.places if word[:_STEM_HEAD] in heads and _stem(word) in model.strong]
    starts = [words.all[number][0] for number in words.numbers(strong)]
    advice = advice_starts(context)
    shift = context.folded.original
    places: Sequence[int] = [shift(start) for start in starts]
    left = _MAX_SENTENCES
    for sentence in context.sentences:
        begin, end = sentence.span
        if end - begin < _SHORTEST or " " not in sentence.text or begin in advice:
            continue
        first = bisect_left(places, begin)
        if first < len(places) and places[first] < end and _narrates(context, sentence):
            left -= 1
            if left < 0:
                return
            yield sentence


_stem = lru_cache(maxsize=1 << 15)(stem)
"""The same words come again in every report."""
_STEM_HEAD = 4
"""Letters that a word always shares with its stem."""


def _narrates(context: ReadingContext, sentence: Sentence) -> bool:
    section = sentence.section
    return section is None or context.sections[section].role not in {"sources", "indicators"}


def _candidate(model: TechniqueModel, label: int, odds: float, mention: Mention) -> Candidate:
    chance = 1 / (1 + math.exp(-odds))
    nearness = 1 / (1 + math.exp(-2 * mention.score))
    technique = model.labels[label]
    return Candidate(
        type="attack-technique", value=technique, span=mention.sentence.span,
        confidence=20 + round(20 * chance + 5 * nearness), canonical=technique_names().get(technique),
        why="the model reads it from: " + ", ".join(model.evidence(features(mention.sentence.text), label)),
        attributes={
            "score": round(mention.score, 2),
            "rank": mention.rank,
            "candidates": [[model.labels[n], round(score, 2)] for n, score in mention.ranked],
            "report_odds": round(odds, 2),
            "attack_version": model.about.get("attack_version", OURS),
        },
    )  # fmt: skip


EXTRACTOR = TechniqueModelExtractor()
