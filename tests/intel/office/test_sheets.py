"""Workbooks: sheets in their order with names, no furigana, gaps and merged cells filled, remarks and links kept."""

from __future__ import annotations

from collections.abc import Callable


def cell(place: str, text: str) -> str:
    return f"<c r='{place}' t='inlineStr'><is><t>{text}</t></is></c>"


def test_sheets_are_named_and_ordered_by_the_book(
    read: Callable[[dict[str, str]], str], relate: Callable[..., str]
) -> None:
    parts = {
        "xl/workbook.xml": "<workbook xmlns:r='r'><sheets><sheet name='通信先' r:id='b'/>"
        "<sheet name='検体' state='hidden' r:id='a'/></sheets></workbook>",
        "xl/_rels/workbook.xml.rels": relate(
            ("a", "worksheet", "worksheets/sheet1.xml"), ("b", "worksheet", "/xl/worksheets/sheet2.xml")
        ),
        "xl/worksheets/sheet1.xml": f"<worksheet><row r='1'>{cell('A1', 'one')}</row></worksheet>",
        "xl/worksheets/sheet2.xml": f"<worksheet><row r='1'>{cell('A1', 'two')}</row></worksheet>",
        "xl/worksheets/sheet9.xml": f"<worksheet><row r='1'>{cell('A1', 'nine')}</row></worksheet>",
    }
    lines = [line for line in read(parts).split("\n") if line]
    assert lines == ["## 通信先", "| two |", "## 検体", "| one |", "| nine |"]


def test_the_reading_beside_a_word_is_no_part_of_it(read: Callable[[dict[str, str]], str]) -> None:
    parts = {
        "xl/workbook.xml": "<workbook/>",
        "xl/sharedStrings.xml": "<sst><si><t>種別</t><rPh><t>シュベツ</t></rPh></si><si><r><t>a</t></r><r><t>b</t></r></si></sst>",
        "xl/worksheets/sheet1.xml": "<worksheet><row><c t='s'><v>0</v></c><c t='s'><v>1</v></c></row></worksheet>",
    }
    assert read(parts).strip() == "| 種別 | ab |"


def test_gaps_and_merged_cells(read: Callable[[dict[str, str]], str]) -> None:
    page = (
        f"<row r='1'>{cell('A1', 'IP')}{cell('C1', 'x')}</row><row r='2'>{cell('B2', 'y')}</row>"
        f"<row r='3'>{cell('B3', 'z')}</row><mergeCells><mergeCell ref='A1:A2'/><mergeCell ref='B1:C1'/></mergeCells>"
    )
    parts = {"xl/workbook.xml": "<workbook/>", "xl/worksheets/sheet1.xml": f"<worksheet>{page}</worksheet>"}
    assert read(parts).strip().split("\n") == ["| IP |  | x |", "| IP | y |", "|  | z |"]


def test_comments_and_links_are_kept(read: Callable[[dict[str, str]], str], relate: Callable[..., str]) -> None:
    page = f"<worksheet xmlns:r='r'><row r='1'>{cell('A1', 'x')}</row><hyperlink ref='A1' r:id='l'/></worksheet>"
    parts = {
        "xl/workbook.xml": "<workbook/>",
        "xl/worksheets/sheet1.xml": page,
        "xl/worksheets/_rels/sheet1.xml.rels": relate(
            ("l", "hyperlink", "http://kaze.example/a"), ("c", "comments", "../comments1.xml")
        ),
        "xl/comments1.xml": "<c><comment ref='A1'><text><r><t>seen </t></r><r><t>twice</t></r></text></comment></c>",
    }
    lines = [line for line in read(parts).split("\n") if line]
    assert lines == ["| x |", "[comment A1] seen twice", "## Links", "- A1: http://kaze.example/a"]


def test_a_merge_beyond_all_bounds_fills_what_is_there(read: Callable[[dict[str, str]], str]) -> None:
    merges = "".join(f"<mergeCell ref='A1:A{1_000_000 + n}'/>" for n in range(50))
    page = f"<row r='1'>{cell('A1', 'IP')}</row><row r='2'>{cell('B2', 'y')}</row>{merges}"
    parts = {"xl/workbook.xml": "<workbook/>", "xl/worksheets/sheet1.xml": f"<worksheet>{page}</worksheet>"}
    assert read(parts).strip().split("\n") == ["| IP |", "| IP | y |"]
