"""Both languages say the same things with the same values, and every key in the code is in the catalogue."""

from __future__ import annotations

import re
import string
from pathlib import Path

import hinomi
from hinomi.locale.catalogue import language_of, messages, text

SOURCE = Path(hinomi.__file__).parent


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_both_languages_have_the_same_keys_and_placeholders() -> None:
    en, ja = messages("en"), messages("ja")
    assert en.keys() == ja.keys()
    for key in en:
        # a Japanese text may leave out a cause that is English only, but can name nothing that is not given
        assert placeholders(ja[key]) <= placeholders(en[key]), key


def test_japanese_texts_are_japanese() -> None:
    japanese = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
    wordless = {k for k, v in messages("ja").items() if not japanese.search(v)}
    # commands to type and bare values are the same in every language
    assert {k for k in wordless if not k.endswith(".next")} <= {
        "error.usage",
        "error.query.wrong",
        "judge.finding",
        "judge.finding-named",
    }


def test_every_key_that_code_says_is_there() -> None:
    said = re.compile(r"""(?:\bsay|\btext|\bboth|\bt)\(\s*["']([a-z][a-z0-9.-]+)["']""")
    rooms = ("brief", "cli", "console", "flow", "respond")
    for path in [p for room in rooms for end in ("*.py", "*.j2") for p in (SOURCE / room).rglob(end)]:
        for key in said.findall(path.read_text("utf-8")):
            assert key.endswith(".") or key in messages("en"), f"{path.name}: {key}"


def test_values_are_made_printable() -> None:
    assert "\x1b" not in text("error.report.missing", "en", place="a\x1b[31m\u202eb", cause="")
    assert "\\x1b" in text("error.report.missing", "ja", place="a\x1b[31mb", cause="")


def test_the_language_follows_the_environment() -> None:
    assert language_of({"LANG": "ja_JP.UTF-8"}) == "ja"
    assert language_of({"LANG": "ja_JP.UTF-8", "HINOMI_LANG": "en"}) == "en"
    assert language_of({}) == "en"
