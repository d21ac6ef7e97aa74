import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.office.vba_text import MAX_WORK, Folder, logical_lines, without_comment


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('x = "Sta" & "rtup"', ["Startup"]),
        ('x = Chr(83) & Chr(&H74) & "artup"', ["Startup"]),
        ('MsgBox StrReverse("putratS")', ["Startup"]),
        ('f Replace("St#rt#p", "#", "a")', ["Startap"]),
        ('p = Environ("APPDATA") & "\\Sta" & "rtup\\"', ["%APPDATA%\\Startup\\"]),
        ('x = "say ""hi"""', ['say "hi"']),
        ('x = Mid("xxStartup", 3)', ["Startup"]),
        ('x = Left("Startupxx", 7) & Right("abc", 1)', ["Startupc"]),
        ('x = ("a" & ("b" & "c"))', ["abc"]),
        ("x = y & z", []),
        ('x = Join(Array("Sta", "rt", "up"), "")', ["Startup"]),
        ('x = Array("a", "b")', ["a", "b"]),
    ],
)
def test_constants_are_folded(line: str, expected: list[str]) -> None:
    assert Folder().strings(line) == expected


def test_variables_carry_constants_from_line_to_line() -> None:
    folder = Folder()
    folder.strings('a = "Sta"')
    folder.strings('a = a & "rt"')
    assert folder.strings('Set s = CreateObject(a & "up")') == ["Startup"]


def test_a_variable_given_something_unknown_is_forgotten() -> None:
    folder = Folder()
    folder.strings('a = "Sta"')
    folder.strings("a = InputBox()")
    assert folder.strings('b = a & "rtup"') == ["rtup"]


def test_statements_on_one_line_part_at_colons() -> None:
    folder = Folder()
    folder.strings('a = "WScript": b = ".Shell"')
    assert folder.strings("CreateObject(a & b)") == ["WScript.Shell"]


def test_lines_join_and_comments_go() -> None:
    source = 'Attribute VB_Name = "M"\r\nx = "a" & _\r\n  "b" \' note\r\nRem nothing\r\ny = "it\'s"'
    assert list(logical_lines(source)) == [(2, 'x = "a" &   "b"'), (5, 'y = "it\'s"')]


def test_an_apostrophe_in_a_string_is_no_comment() -> None:
    assert without_comment("x = \"a'b\" ' c") == 'x = "a\'b" '


def test_doubling_does_not_explode() -> None:
    folder = Folder()
    folder.strings('x = "aaaaaaaaaaaaaaaaaaaaaaaa"')
    for _ in range(3000):
        folder.strings("x = x & x")
    assert len(folder.known.get("x", "")) <= 8192
    assert folder.work <= MAX_WORK + 200_000


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(st.text("ab\"&+()=,:. ChrReplace1'_", max_size=60), max_size=8))
def test_any_text_folds_without_error(lines: list[str]) -> None:
    folder = Folder()
    for _, line in logical_lines("\n".join(lines)):
        for text in folder.strings(line):
            assert text
