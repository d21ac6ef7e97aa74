"""YAML of rules: places in errors, and bounds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.detect.yamlfile import MAX_RULE_BYTES, key_places, load_yaml, read_bounded
from hinomi.model.errors import RuleError

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "\n".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]" for i in range(12)
)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [1, 2\nb: 3", ":2:2"),
        ("a: b: c", ":1:5"),
        ("\ta: 1", ":1:1"),
        ("a: !!python/object:os.system x", ":1:4"),
        ("a: 1\n---\nb: 2", ""),
        ("", ""),
        ("# nothing", ""),
        (BOMB, ""),
        ("[" * 200 + "]" * 200, ""),
        ("a: 2026-99-99", ""),
    ],
)
def test_wrong_files_are_told_with_their_place(text: str, place: str) -> None:
    with pytest.raises(RuleError) as caught:
        load_yaml(text, Path("rule.yml"))
    assert caught.value.place.startswith(f"rule.yml{place}")
    assert caught.value.cause


def test_places_of_keys() -> None:
    assert key_places("a: 1\n\n  \nbc: {d: 2}\n") == {"a": "1:1", "bc": "4:1"}
    assert key_places("[1]") == {} and key_places("a: [") == {}


def test_files_are_read_within_bounds(tmp_path: Path) -> None:
    for name, data in (("big", b"#" * (MAX_RULE_BYTES + 1)), ("latin", b"a: \xe9")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(RuleError):
            read_bounded(tmp_path / name)
    with pytest.raises(RuleError):
        read_bounded(tmp_path / "missing")
    with pytest.raises(RuleError):
        read_bounded(tmp_path)
    (tmp_path / "bom").write_bytes(b"\xef\xbb\xbfa: 1")
    assert load_yaml(read_bounded(tmp_path / "bom"), Path("bom")) == {"a": 1}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(alphabet="ab:-[]{}&*!#|>'\"\n\t ,?%@`0x", max_size=80))
def test_any_text_loads_or_is_a_rule_error(text: str) -> None:
    try:
        load_yaml(text, Path("x"))
    except RuleError as error:
        assert error.place.startswith("x")
