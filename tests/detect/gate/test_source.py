"""One YARA rule taken apart."""

from __future__ import annotations

import pytest

from hinomi.detect.gate.source import Pattern, read_source

RULE = """
/* a comment with "marks */ import "pe"
private rule one : tag other {
  meta: condition = "strings:" a = -1 b = true // strings:
  strings: // a line
    $a = "text \\"quoted\\" // kept" nocase wide
    $ = /re[x]\\/\\//i
    $h = { 01 ?? [2-4] ( 0a | 0b ) /* } */ ff } private
    $x = "x" xor(1-5) fullword
    $b =/*c*/"y"
  condition: /* either */ $a or #h > 2 and filesize < 10KB
}
"""


def test_patterns_and_condition() -> None:
    source = read_source(RULE)
    assert source is not None
    assert source.condition == ("$a", "or", "#h", ">", "2", "and", "filesize", "<", "10KB")
    assert list(source.patterns) == ["$a", "$ 1", "$h", "$x", "$b"]
    assert source.patterns["$a"] == Pattern("text", 'text \\"quoted\\" // kept', frozenset({"nocase", "wide"}))
    assert source.patterns["$ 1"].value == "re[x]\\/\\/"
    assert source.patterns["$h"].value.split()[-1] == "ff" and source.patterns["$h"].modifiers == {"private"}
    assert source.patterns["$x"].modifiers == {"xor", "fullword"}
    assert source.patterns["$b"] == Pattern("text", "y", frozenset())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no rule at all",
        "global rule a { condition: true }",
        "rule a { condition: true } rule b { condition: a }",
        'include "other" rule a { condition: true }',
        "rule a { condition: filesize / 2 > 3 }",
        'rule a { strings: $a = "open condition: $a }',
        "rule a { condition: true",
        'rule a { strings: $a = "x" unheard condition: $a }',
    ],
)
def test_what_is_not_understood_is_left_to_the_engine(text: str) -> None:
    assert read_source(text) is None


def test_a_rule_without_patterns() -> None:
    source = read_source("rule a { condition: filesize > 3 }")
    assert source is not None and source.patterns == {} and source.condition == ("filesize", ">", "3")
