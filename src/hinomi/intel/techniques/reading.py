"""What the technique model makes of a whole report: which sentences speak of which technique, and how surely."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hinomi.intel.extractor import ReadingContext, Sentence
from hinomi.intel.names.words import advice_starts, words_of
from hinomi.intel.techniques.features import STEM_HEAD, features, stem
from hinomi.intel.techniques.model import TechniqueModel, best_of, technique_model

RANKS = 3
"""Techniques that a sentence is taken to speak of at most."""
LOWEST = -1.5
"""The score of a sentence among whose first ranks a technique is not."""
_APART = 0.5
"""Sentences that score this much less than a technique's best are not shown as its evidence."""
_DOUBTFUL = -0.5
"""Where no sentence of a report scores this much for a technique, a phrase alone does not make it one."""
_SHORTEST = 12
_FEWEST = 3
"""Blanks in an item of a list that tells something; others only name a thing or two."""
_MAX_SENTENCES = 20_000
"""Sentences scored per report: it bounds time."""
_KEPT = "_technique_reading"


class Mention(NamedTuple):
    """A sentence, the rank and the score of one technique in it, and all (label, score) it may speak of."""

    sentence: Sentence
    rank: int
    score: float
    ranked: list[tuple[int, float]]


class Found(NamedTuple):
    """A label that a report speaks of, the log odds that it does, and the sentences that say so."""

    label: int
    odds: float
    mentions: list[Mention]


@dataclass(frozen=True, slots=True)
class TechniqueReading:
    """By label, the sentences that may speak of it; and the labels that some sentence scores high enough for."""

    model: TechniqueModel
    mentions: dict[int, list[Mention]]
    likely: frozenset[int]

    def found(self) -> Iterator[Found]:
        """Yield what reaches the threshold over the report, by label."""
        for label in sorted(self.mentions):
            scores = sorted((mention.score for mention in self.mentions[label]), reverse=True)
            second = second_best(scores[0], scores[1] if len(scores) > 1 else LOWEST)
            odds = self.model.report_odds(label, scores[0], second)
            if odds >= self.model.threshold:
                near = [mention for mention in self.mentions[label] if mention.score >= scores[0] - _APART]
                yield Found(label, odds, near)

    def doubts(self, technique: str) -> bool:
        """Whether the model knows a technique and sees no sentence that may speak of it."""
        label = self.model.numbers.get(technique)
        return label is not None and label not in self.likely


def second_best(best: float, second: float) -> float:
    """Return the second-best score, not far below the best: a short report says a thing only once."""
    return max(second, best - _APART)


def technique_reading(context: ReadingContext) -> TechniqueReading:
    """Return what the bundled model makes of an English report; kept with the context, as its words are."""
    known: TechniqueReading | None = context.__dict__.get(_KEPT)
    if known is None:
        known = context.__dict__[_KEPT] = read_techniques(context, technique_model())
    return known


def read_techniques(context: ReadingContext, model: TechniqueModel) -> TechniqueReading:
    """Return what a model makes of an English report."""
    mentions: dict[int, list[Mention]] = defaultdict(list)
    likely: set[int] = set()
    for sentence in _telling(context, model):
        scores = model.scores(features(sentence.text))
        ranked = best_of(scores, RANKS)
        several = ranked[-1][1] >= _DOUBTFUL  # else no further one is as high
        likely.update(n for n, score in (enumerate(scores) if several else ranked) if score >= _DOUBTFUL)
        for rank, (label, score) in enumerate(ranked, 1):
            mentions[label].append(Mention(sentence, rank, score, ranked))
    return TechniqueReading(model, dict(mentions), frozenset(likely))


def _telling(context: ReadingContext, model: TechniqueModel) -> Iterator[Sentence]:
    """The sentences worth scoring: narration that holds a word the model gives weight to."""
    words = words_of(context)
    strong = [word for word in words.places if word[:STEM_HEAD] in model.strong_heads and stem(word) in model.strong]
    starts = [words.all[number][0] for number in words.numbers(strong)]
    advice = advice_starts(context)
    shift = context.folded.original
    places: Sequence[int] = [shift(start) for start in starts] if context.folded.starts else starts
    left = _MAX_SENTENCES
    for sentence in context.sentences:
        begin, end = sentence.span
        if end - begin < _SHORTEST or begin in advice or not _tells(sentence.text):
            continue
        first = bisect_left(places, begin)
        if first < len(places) and places[first] < end and _narrates(context, sentence):
            left -= 1
            if left < 0:
                return
            yield sentence


def _tells(text: str) -> bool:
    """Whether a line can say what was done: no heading, no item of a list that only names something."""
    return " " in text and text[0] != "#" and (text[0] not in _ITEMS or text.count(" ") >= _FEWEST)


_ITEMS = frozenset("-*•・+")


def _narrates(context: ReadingContext, sentence: Sentence) -> bool:
    section = sentence.section
    return section is None or context.sections[section].role not in {"sources", "indicators"}
