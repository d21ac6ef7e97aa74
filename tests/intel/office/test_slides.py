"""Presentations: titles, tables, speaker notes, links; slide numbers are no text."""

from __future__ import annotations

from collections.abc import Callable


def shape(text: str, kind: str = "", click: str = "") -> str:
    placeholder = f"<ph type='{kind}'/>" if kind else ""
    return f"<sp><nvPr>{placeholder}</nvPr><p><r><rPr>{click}</rPr><t>{text}</t></r></p></sp>"


def test_a_talk_in_its_order(read: Callable[[dict[str, str]], str], relate: Callable[..., str]) -> None:
    table = "<tbl><tr><tc><p><r><t>Domain</t></r></p></tc><tc><p><r><t>kaze[.]example</t></r></p></tc></tr></tbl>"
    click = "<hlinkClick xmlns:r='r' r:id='l'/>"
    parts = {
        "ppt/presentation.xml": "<p xmlns:r='r'><sldId id='256' r:id='y'/><sldId id='257' r:id='x'/></p>",
        "ppt/_rels/presentation.xml.rels": relate(
            ("x", "slide", "slides/slide1.xml"), ("y", "slide", "slides/slide2.xml")
        ),
        "ppt/slides/slide1.xml": f"<s>{shape('IoC', 'title')}{table}{shape('more', click=click)}{shape('7', 'sldNum')}</s>",
        "ppt/slides/slide2.xml": f"<s>{shape('Report', 'ctrTitle')}</s>",
        "ppt/slides/_rels/slide1.xml.rels": relate(
            ("l", "hyperlink", "https://kaze.example/a"), ("n", "notesSlide", "../notesSlides/notesSlide1.xml")
        ),
        "ppt/notesSlides/notesSlide1.xml": f"<n>{shape('said aloud', 'body')}{shape('7', 'sldNum')}</n>",
    }
    lines = [line for line in read(parts).split("\n") if line]
    assert lines == [
        "# Report", "## IoC", "| Domain | kaze[.]example |", "more", "[notes] said aloud", "## Links",
        "- more: https://kaze.example/a",
    ]  # fmt: skip
