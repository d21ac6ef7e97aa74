"""What several extractors need of one reading context, made once: its words, its text in lower case, its advice."""

from __future__ import annotations

from hinomi.intel.advice import EN_HINTS, gives_advice
from hinomi.intel.extractor import ReadingContext
from hinomi.intel.literals import any_within, occurrences
from hinomi.intel.vocabulary.words import TextWords, same_length_lower

# Kept in the context's `__dict__`, as its own cached properties are.
_LONG = 2000  # characters; no advice is that long
_WORDS, _LOWERED, _ADVICE = "_vocabulary_words", "_lowered_text", "_advice_starts"


def words_of(context: ReadingContext) -> TextWords:
    """Return the words of the folded text."""
    known: TextWords | None = context.__dict__.get(_WORDS)
    if known is None:
        known = context.__dict__[_WORDS] = TextWords(lowered_of(context))
    return known


def lowered_of(context: ReadingContext) -> str:
    """Return the folded text in lower case, every character at its own offset."""
    known: str | None = context.__dict__.get(_LOWERED)
    if known is None:
        known = context.__dict__[_LOWERED] = same_length_lower(context.folded.text)
    return known


def advice_starts(context: ReadingContext) -> frozenset[int]:
    """Return where the sentences start that say what should be done."""
    known: frozenset[int] | None = context.__dict__.get(_ADVICE)
    if known is None:
        plain = context.folded.text is context.text
        hints = occurrences(lowered_of(context) if plain else same_length_lower(context.text), EN_HINTS)
        known = frozenset(
            s.span[0]
            for s in context.sentences
            if len(s.text) < _LONG and (not s.text.isascii() or any_within(hints, *s.span)) and gives_advice(s.text)
        )
        context.__dict__[_ADVICE] = known
    return known
