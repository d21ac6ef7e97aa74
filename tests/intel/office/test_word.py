"""Word: what stands in boxes, notes, comments, fields and merged cells is read once and beside what it is of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

NAMES = "xmlns:w='w' xmlns:r='r' xmlns:mc='mc' xmlns:v='v'"

BEGINS = "<w:vMerge w:val='restart'/>"
WIDE = "<w:gridSpan w:val='2'/>"


def paragraph(inner: str) -> str:
    return f"<w:p>{inner}</w:p>"


def run(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


@pytest.fixture
def word(read: Callable[[dict[str, str]], str]) -> Callable[..., str]:
    def text(body: str, **parts: str) -> str:
        others = {f"word/{name}.xml": f"<w:x {NAMES}>{content}</w:x>" for name, content in parts.items()}
        rels = others.pop("word/rels.xml", "") and {"word/_rels/document.xml.rels": parts["rels"]}
        return read({"word/document.xml": f"<w:d {NAMES}><w:body>{body}</w:body></w:d>", **others, **(rels or {})})

    return text


def test_a_text_box_is_read_once(word: Callable[..., str]) -> None:
    box = f"<w:txbxContent>{paragraph(run('in the box'))}</w:txbxContent>"
    both = f"<mc:AlternateContent><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>"
    text = word(paragraph(f"<w:r>{both}</w:r>{run('around it')}"))
    assert text.strip().split("\n") == ["around it", "in the box"]


def test_notes_and_comments_stand_below_their_paragraph(word: Callable[..., str]) -> None:
    body = (
        paragraph(run("first") + "<w:r><w:footnoteReference w:id='2'/></w:r>")
        + paragraph(run("second") + "<w:r><w:commentReference w:id='0'/></w:r>")
        + paragraph(run("third"))
    )
    text = word(
        body,
        footnotes=f"<w:footnote w:id='0'>{paragraph('')}</w:footnote><w:footnote w:id='2'>{paragraph(run('n'))}"
        "</w:footnote>",
        comments=f"<w:comment w:id='0'>{paragraph(run('c'))}</w:comment>",
        endnotes=f"<w:endnote w:id='9'>{paragraph(run('e'))}</w:endnote>",
    )
    assert text.split("\n")[:6] == ["first", "[footnote] n", "second", "[comment] c", "third", "[endnote] e"]


def test_targets_of_links_and_fields_are_kept(word: Callable[..., str], relate: Callable[..., str]) -> None:
    body = (
        paragraph(f"<w:hyperlink r:id='a'>{run('here')}</w:hyperlink><w:hyperlink r:id='b'>{run('x')}</w:hyperlink>")
        + paragraph(f"<w:r><w:instrText>HYPERLINK \"http://kaze.example/y\"</w:instrText></w:r>{run('there')}")
    )  # fmt: skip
    text = word(body, rels=relate(("a", "hyperlink", "https://kaze.example/z"), ("b", "image", "media/a.png")))
    assert text.split("\n")[-2:] == ["- here: https://kaze.example/z", "- there: http://kaze.example/y"]


def test_merged_cells_say_the_same_on_each_row(word: Callable[..., str]) -> None:
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(run(text))}</w:tc>"

    table = (
        f"<w:tr>{cell('SHA256', BEGINS)}{cell('one')}</w:tr>"
        f"<w:tr>{cell('', '<w:vMerge/>')}{cell('two')}</w:tr>"
        f"<w:tr>{cell('wide', WIDE)}</w:tr>"
    )
    text = word(f"<w:tbl>{table}</w:tbl>")
    assert text.strip().split("\n") == ["| SHA256 | one |", "| SHA256 | two |", "| wide |  |"]


def test_tables_within_tables_are_said_once(word: Callable[..., str]) -> None:
    inner = f"<w:tbl><w:tr><w:tc>{paragraph(run('inner'))}</w:tc></w:tr></w:tbl>"
    text = word(f"<w:tbl><w:tr><w:tc>{paragraph(run('outer'))}{inner}</w:tc></w:tr></w:tbl>")
    assert text.strip() == "| outer inner |"


def test_deleted_text_is_gone(word: Callable[..., str]) -> None:
    assert word(paragraph(f"<w:del><w:r><w:delText>old</w:delText></w:r></w:del>{run('new')}")).strip() == "new"
