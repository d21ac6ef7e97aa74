"""Office files built here: text, headings, tables; bombs and damage are refused."""

import io
import zipfile

import pytest

from hinomi.intel.formats.office import FORMAT
from hinomi.model.errors import ReportError

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def package(**parts):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return buffer.getvalue()


def word(body):
    return package(word__document_xml=f"<w:document {W}><w:body>{body}</w:body></w:document>")


def test_word_text_heading_and_table():
    data = word(
        '<w:p><w:pPr><w:pStyle w:val="Heading2"/></w:pPr><w:r><w:t>対策</w:t></w:r></w:p>'
        "<w:p><w:r><w:t>Block kaze</w:t></w:r><w:r><w:t>[.]example</w:t></w:r></w:p>"
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc>"
        "<w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    )
    assert FORMAT.sniff(data) > 90
    text = FORMAT.extract(data, "a.docx").text
    assert "## 対策" in text
    assert "Block kaze[.]example" in text
    assert "| a | b |" in text


def test_sheet_cells_with_shared_strings():
    data = package(
        xl__workbook_xml="<workbook/>",
        xl__sharedStrings_xml="<sst><si><t>kaze[.]example</t></si></sst>",
        xl__worksheets__sheet1_xml='<worksheet><row><c t="s"><v>0</v></c><c><v>7</v></c>'
        '<c t="s"><v>99</v></c></row></worksheet>',
    )
    assert "| kaze[.]example | 7 |" in FORMAT.extract(data, "a.xlsx").text


def test_slides():
    data = package(ppt__presentation_xml="<p/>", ppt__slides__slide1_xml="<s><p><r><t>Kaze</t></r></p></s>")
    assert FORMAT.extract(data, "a.pptx").text.strip() == "Kaze"


def test_entities_stay_closed():
    data = package(
        word__document_xml=f'<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
        f"<w:document {W}><w:body><w:p><w:r>"
        "<w:t>x &b; y</w:t></w:r></w:p></w:body></w:document>"
    )
    assert "aaaaaaaaaa" not in FORMAT.extract(data, "a.docx").text


def test_a_zip_bomb_is_refused():
    data = package(word__document_xml=b"<d>" + b" " * (40 << 20) + b"</d>")
    with pytest.raises(ReportError) as caught:
        FORMAT.extract(data, "bomb.docx")
    assert caught.value.code == "report-too-large"


@pytest.mark.parametrize("cut", [30, 120, -12])
def test_truncated_files_are_refused(cut):
    data = word("<w:p><w:r><w:t>text</w:t></w:r></w:p>")
    assert FORMAT.sniff(data[:cut]) == 0
    with pytest.raises(ReportError):
        FORMAT.extract(data[:cut], "a.docx")


def test_other_archives_are_not_office():
    assert FORMAT.sniff(package(readme="text")) == 0
