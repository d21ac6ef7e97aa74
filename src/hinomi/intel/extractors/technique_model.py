"""Techniques by the linear model: ranked candidates of English sentences, never verdicts."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from hinomi.intel.extractor import Candidate, ReadingContext, Sentence
from hinomi.intel.names.words import advice_starts, words_of
from hinomi.intel.techniques.crosswalk import OURS
from hinomi.intel.techniques.features import stem
from hinomi.intel.techniques.model import Ranked, TechniqueModel, technique_model
from hinomi.intel.vocabulary.behaviours import technique_names

_SHORTEST = 12
_RANKS = 3
_MAX_SENTENCES = 20_000
"""Sentences scored per report: it bounds time."""


@dataclass(frozen=True, slots=True)
class _Scored:
    sentence: Sentence
    ranked: tuple[Ranked, ...]


class TechniqueModelExtractor:
    """Yields techniques that some sentence of an English report speaks of, by the model's score over the report."""

    name = "techniques"

    def extract(self, context: ReadingContext) -> Iterable[Candidate]:
        """Yield, for each technique whose best sentence reaches the threshold, that sentence and its like."""
        if context.language != "en":
            return
        model = technique_model()
        places: dict[str, list[tuple[_Scored, int]]] = defaultdict(list)
        for scored in _scored(context, model):
            for rank, one in enumerate(scored.ranked, 1):
                if one.score >= model.threshold:
                    places[one.technique].append((scored, rank))
        for technique in sorted(places):
            yield from (_candidate(model, technique, scored, rank) for scored, rank in places[technique])


def _scored(context: ReadingContext, model: TechniqueModel) -> Iterator[_Scored]:
    for sentence in _telling(context, model):
        yield _Scored(sentence, tuple(model.rank(sentence.text, _RANKS)))


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


def _candidate(model: TechniqueModel, technique: str, scored: _Scored, rank: int) -> Candidate:
    own = scored.ranked[rank - 1]
    chance = 1 / (1 + math.exp(-own.score))
    return Candidate(
        type="attack-technique", value=technique, span=scored.sentence.span, confidence=20 + round(25 * chance),
        why="the model reads it from: " + ", ".join(own.evidence), canonical=technique_names().get(technique),
        attributes={
            "score": own.score,
            "rank": rank,
            "candidates": [[one.technique, one.score] for one in scored.ranked],
            "attack_version": model.about.get("attack_version", OURS),
        },
    )  # fmt: skip


EXTRACTOR = TechniqueModelExtractor()
