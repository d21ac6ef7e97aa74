"""What a text says malware does: behaviours of our rules, and the ATT&CK techniques they stand for."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from operator import itemgetter

from hinomi.intel.advice import is_checkbox, is_step
from hinomi.intel.extractor import Candidate, ReadingContext, Sentence
from hinomi.intel.names.words import advice_starts, lowered_of, words_of
from hinomi.intel.systems import speaks_of
from hinomi.intel.techniques.crosswalk import OURS
from hinomi.intel.techniques.reading import technique_reading
from hinomi.intel.vocabulary.behaviours import Cue, PhraseRule, behaviours, phrase_rules
from hinomi.intel.vocabulary.names import Form, Name, NameIndex
from hinomi.intel.vocabulary.techniques import named_techniques, techniques
from hinomi.intel.vocabulary.words import same_length_lower

_MAX_SENTENCE = 1500
# Behaviours that advice asks the reader to look for on the own system.
_CHECKED = frozenset({"exposed-service", "weak-password", "vulnerable-library"})
_JA_NOT = re.compile(
    r"[^。、]{0,10}?(?:[しれえ]?ない|ていない|ていません|ません|なかった|されず|せず)(?!場合|とき|限り|か|と|ため|よう)"
)
_EN_NOT = re.compile(
    r"\b(?:not|never|no evidence|without|neither|nor|cannot|can't|don't|doesn't|didn't|did not|does not|no longer|"
    r"unable to|fail(?:s|ed) to)\b[^.;,]{0,24}$"
)


class BehavioursExtractor:
    """Yields behaviour candidates and, less sure, the techniques they stand for; and techniques by name."""

    name = "behaviours"

    def extract(self, context: ReadingContext) -> Iterable[Candidate]:
        """Yield candidates sentence by sentence."""
        for sentence, cues in _cued(context):
            yield from _behaviours(context, sentence, cues)
        yield from _named_techniques(context)


def _cued(context: ReadingContext) -> Iterator[tuple[Sentence, list[Cue]]]:
    """Yield the sentences that hold cues, with those, whose offsets count from the sentence's beginning."""
    found = phrase_rules()[0].find(lowered_of(context), words_of(context))
    cues = [(start, end, number) for number, start, end in found]
    if context.folded.starts:
        place = context.folded.span
        cues = [(*place(start, end), number) for start, end, number in cues]
    cues.sort(key=itemgetter(0))
    starts = [start for start, _, _ in cues]
    for sentence in context.sentences:
        begin, end = sentence.span
        first = bisect_left(starts, begin)
        if first == len(starts) or starts[first] >= end or (sentence.text.isascii() and " " not in sentence.text):
            continue
        here = cues[first : bisect_left(starts, min(end, begin + _MAX_SENTENCE))]
        inside = [Cue(number, start - begin, stop - begin) for start, stop, number in here if stop <= end]
        if inside:
            yield sentence, inside


def _behaviours(context: ReadingContext, sentence: Sentence, cues: Sequence[Cue]) -> Iterator[Candidate]:
    present = frozenset([cue.number for cue in cues])
    rules = _candidates(present)
    if not rules:
        return
    lowered = same_length_lower(sentence.text)
    advice = sentence.span[0] in advice_starts(context) or _is_step_here(context, sentence)
    given: set[str] = set()
    for rule in rules:
        if rule.behaviour in given or (advice and not rule.advice and rule.behaviour not in _CHECKED):
            continue
        used = _match(rule, present, cues, lowered)
        if used:
            given.add(rule.behaviour)
            yield from _claims(context, sentence, rule.behaviour, used, advice)


def _is_step_here(context: ReadingContext, sentence: Sentence) -> bool:
    section = sentence.section
    in_mitigation = section is not None and context.sections[section].role == "mitigation"
    return is_checkbox(sentence.text) or (in_mitigation and is_step(sentence.text))


@cache
def _by_cue() -> dict[int, tuple[int, ...]]:
    """Numbers of the rules by each cue of their smallest line: only rules with one of those present can hold."""
    table: dict[int, list[int]] = {}
    for order, rule in enumerate(phrase_rules()[1]):
        for number in min(rule.wanted, key=len):
            table.setdefault(number, []).append(order)
    return {number: tuple(rules) for number, rules in table.items()}


def _candidates(present: frozenset[int]) -> list[PhraseRule]:
    rules, table = phrase_rules()[1], _by_cue()
    return [rules[order] for order in sorted({order for number in present for order in table.get(number, ())})]


def _match(rule: PhraseRule, present: frozenset[int], cues: Sequence[Cue], text: str) -> list[Cue] | None:
    """Return the cues that satisfy the rule (one per line, no two at one place), or None."""
    if not all(line & present for line in rule.wanted) or rule.unwanted & present:
        return None
    used: list[Cue] = []
    for line in sorted(rule.wanted, key=len):
        free = (c for c in cues if c.number in line and not any(c.start < u.end and u.start < c.end for u in used))
        chosen = next(free, None)
        if chosen is None:
            return None
        used.append(chosen)
    if _negated(text, used):
        return None
    return sorted(used, key=lambda c: c.start)


def _negated(text: str, used: Sequence[Cue]) -> bool:
    start, end = min(c.start for c in used), max(c.end for c in used)
    return (
        _JA_NOT.match(text, end) is not None
        if not text.isascii()
        else _EN_NOT.search(text[max(0, start - 60) : start]) is not None
    )


def _claims(
    context: ReadingContext, sentence: Sentence, behaviour: str, used: Sequence[Cue], advice: bool
) -> Iterator[Candidate]:
    known, text = behaviours()[behaviour], sentence.text
    start, end = min(c.start for c in used), max(_word_end(text, c) for c in used)
    span = (sentence.span[0] + start, sentence.span[0] + end)
    phrase = " … ".join(dict.fromkeys(text[c.start : _word_end(text, c)] for c in used))
    confidence = 45 + 10 * min(3, len(used)) - (15 if advice else 0)
    yield Candidate(
        type="behaviour", value=behaviour, span=span, role="mentioned" if advice else "malicious",
        confidence=confidence,
        why=f"said by: {phrase}", canonical=known.en, attributes={"attack": list(known.attack)},
    )  # fmt: skip
    if advice:
        return
    for technique in (techniques()[number] for number in known.attack):
        if speaks_of(context, sentence.span, technique.platforms) and not _doubted(context, technique.id):
            yield Candidate(
                type="attack-technique", value=technique.id, span=span, confidence=confidence - 25,
                why=f"said by: {phrase}", canonical=technique.name,
                attributes={"behaviour": behaviour, "attack_version": OURS},
            )  # fmt: skip


def _doubted(context: ReadingContext, technique: str) -> bool:
    """In English a phrase says less than the whole sentence, which the model has read."""
    return context.language == "en" and technique_reading(context).doubts(technique)


def _word_end(text: str, cue: Cue) -> int:
    """English cues are word beginnings: show the whole word."""
    rest = _REST.match(text, cue.end) if text[cue.start].isascii() else None
    return rest.end() if rest else cue.end


_REST = re.compile(r"[A-Za-z]{1,12}")


@cache
def _technique_index() -> NameIndex:
    return NameIndex([Form(Name("tool", form), form, False) for form in sorted(named_techniques())])


def _named_techniques(context: ReadingContext) -> Iterator[Candidate]:
    names = named_techniques()
    text = context.folded.text
    for hit in _technique_index().find(text, words_of(context)):
        surface = text[hit.start : hit.end]
        words = re.findall(r"[A-Za-z]+", surface)
        if not all(word[0].isupper() or len(word) < 4 for word in words):
            continue
        number = names[hit.forms[0].text]
        yield Candidate(
            type="attack-technique", value=number, span=context.folded.span(hit.start, hit.end), confidence=70,
            why=f"named: {surface}", canonical=techniques()[number].name, attributes={"attack_version": OURS},
        )  # fmt: skip


EXTRACTOR = BehavioursExtractor()
