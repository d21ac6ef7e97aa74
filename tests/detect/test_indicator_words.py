"""The words of indicator findings: both languages, real playbooks, filled placeholders."""

from __future__ import annotations

import json
from pathlib import Path

import hinomi
from hinomi.detect.draft import placeholders
from hinomi.detect.indicator import ACTIVE_ROLES
from hinomi.detect.indicator_sql import LOOKUPS
from hinomi.detect.indicator_words import ROLE_WORDS, WORDS

VALUES = {"subject", "value", "report", "named", "role_en", "role_ja"}


def test_every_lookup_has_words_that_something_fills() -> None:
    assert {lookup.kind for lookup in LOOKUPS} == set(WORDS)
    for words in WORDS.values():
        assert words.title.en and words.title.ja
        for text in (words.explanation, words.intact):
            assert placeholders(text) <= VALUES
            assert "{role_ja}" not in text.en and "{role_en}" not in text.ja


def test_every_active_role_has_words() -> None:
    assert set(ROLE_WORDS) >= ACTIVE_ROLES


def test_the_responses_are_playbooks() -> None:
    folder = Path(hinomi.__file__).parent / "respond" / "playbooks"
    playbooks = {path.stem for path in folder.glob("*.json") if json.loads(path.read_text(encoding="utf-8"))}
    assert {response for words in WORDS.values() for response in words.responses} <= playbooks
