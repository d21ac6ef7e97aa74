"""The words of a reading context, split once for all vocabularies."""

from __future__ import annotations

from hinomi.intel.extractor import ReadingContext
from hinomi.intel.vocabulary.names import Word, split_words

_KEY = "_vocabulary_words"


def words_of(context: ReadingContext) -> list[Word]:
    """Return the words of the folded text; kept with the context, as its own cached properties are."""
    known: list[Word] | None = context.__dict__.get(_KEY)
    if known is None:
        known = context.__dict__[_KEY] = split_words(context.folded.text)
    return known
