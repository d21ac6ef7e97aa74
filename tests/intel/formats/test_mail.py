"""Mailed reports: the best text part, subject and date."""

import io
import zipfile
from email.message import EmailMessage

from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.pdfgen import canvas

from hinomi.intel.formats.mail import FORMAT
from hinomi.intel.read import read_report
from hinomi.model.errors import HinomiError

HEAD = (
    b"From: a@vendor.example\r\nTo: b@reader.example\r\nSubject: Kaze report\r\n"
    b"Date: Mon, 6 May 2024 10:00:00 +0900\r\n"
)


def test_html_part_wins_and_headers_are_used():
    body = (
        b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nplain"
        b"\r\n--b\r\nContent-Type: text/html; charset=shift_jis\r\n\r\n<html><body><p>"
        + "通信先を遮断する".encode("cp932")
        + b"</p></body></html>\r\n--b--\r\n"
    )
    document = FORMAT.extract(HEAD + body, "a.eml")
    assert document.text == "通信先を遮断する"
    assert (document.title, document.published) == ("Kaze report", "2024-05-06")


def test_plain_part_in_iso_2022_jp():
    body = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + "対策を行う".encode(
        "iso2022_jp"
    )
    assert FORMAT.extract(HEAD + body, "a.eml").text == "対策を行う"


def test_recognised_by_headers():
    assert FORMAT.sniff(HEAD + b"\r\ntext") > 50
    assert FORMAT.sniff(b"Note: this is a report\nwith text") == 0


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_body_gives_text_or_our_error(body):
    try:
        FORMAT.extract(HEAD + body, "a.eml")
    except HinomiError:
        return


def test_attached_text_is_read_and_other_attachments_are_named():
    body = (
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nsee attached"
        b'\r\n--b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename="i.csv"\r\n\r\n'
        b"type,value\r\nipv4,203.0.113.44\r\n"
        b'\r\n--b\r\nContent-Type: application/zip\r\nContent-Disposition: attachment; filename="s.zip"\r\n\r\nPK'
        b"\r\n--b--\r\n"
    )
    document = FORMAT.extract(HEAD + body, "a.eml")
    assert "see attached" in document.text and "ipv4,203.0.113.44" in document.text
    assert [note for note in document.notes if "s.zip" in note] == list(document.notes)


def mailed(*attachments: tuple[str, str, bytes]) -> bytes:
    """A mail with attachments, given as name, type and bytes."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@vendor.example", "b@reader.example", "Kaze report"
    message["Date"] = "Mon, 6 May 2024 10:00:00 +0900"
    message.set_content("The details are attached. The implant calls hxxp://tsuki[.]example/a.")
    for name, kind, data in attachments:
        main, sub = kind.split("/")
        message.add_attachment(data, maintype=main, subtype=sub, filename=name)
    return bytes(message)


def zipped(parts: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def paged(text: str) -> bytes:
    out = io.BytesIO()
    page = canvas.Canvas(out)
    page.drawString(60, 700, text)
    page.save()
    return out.getvalue()


WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def test_attached_documents_are_read_and_their_claims_name_them():
    docx = zipped(
        {
            "word/document.xml": f'<w:document xmlns:w="{WORD}"><w:body><w:p><w:r><w:t>It calls 203.0.113[.]61.</w:t></w:r></w:p></w:body></w:document>'
        }
    )
    report = read_report(
        "a.eml",
        mailed(
            ("iocs.docx", "application/octet-stream", docx),
            ("iocs.pdf", "application/pdf", paged("The dropper asks hoshi[.]example for orders.")),
        ),
    )
    where = {c.value: c.attributes.get("attachment") for c in report.claims}
    assert where["http://tsuki.example/a"] is None
    assert (where["203.0.113.61"], where["hoshi.example"]) == ("iocs.docx", "iocs.pdf")
    assert not report.notes


def test_attached_sheets_and_slides_are_read():
    xlsx = zipped(
        {
            "xl/workbook.xml": "<workbook/>",
            "xl/sharedStrings.xml": "<sst><si><t>C2</t></si><si><t>kiri[.]example</t></si></sst>",
            "xl/worksheets/sheet1.xml": '<worksheet><row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row></worksheet>',
        }
    )
    slide = "<s><p><r><t>The loader calls hxxp://mori[.]example/b</t></r></p></s>"
    pptx = zipped({"ppt/presentation.xml": "<p/>", "ppt/slides/slide1.xml": slide})
    sheet, slides = "vnd.openxmlformats-officedocument.spreadsheetml.sheet", "octet-stream"
    report = read_report(
        "a.eml",
        mailed(("iocs.xlsx", f"application/{sheet}", xlsx), ("brief.pptx", f"application/{slides}", pptx)),
    )
    where = {c.value: c.attributes.get("attachment") for c in report.claims}
    assert (where["kiri.example"], where["http://mori.example/b"]) == ("iocs.xlsx", "brief.pptx")
    for claim in report.claims:
        assert report.text[claim.span[0] : claim.span[1]] == claim.text
    assert not report.notes


def test_an_attached_archive_is_listed_and_a_program_named():
    archive = zipped({"invoice/見積書.exe": "MZ", "readme.txt": "x"})
    report = read_report(
        "a.eml",
        mailed(("s.zip", "application/zip", archive), ("tool.bin", "application/octet-stream", b"\x7fELF\x00\x01")),
    )
    assert "見積書.exe" in {c.value for c in report.claims if c.attributes.get("attachment") == "s.zip"}
    assert [name for name in ("s.zip", "tool.bin") if any(name in note for note in report.notes)] == [
        "s.zip",
        "tool.bin",
    ]


def test_a_damaged_attachment_costs_only_itself():
    report = read_report("a.eml", mailed(("x.pdf", "application/pdf", b"%PDF-1.4 broken")))
    assert "http://tsuki.example/a" in {c.value for c in report.claims}
    assert any("x.pdf was not read" in note for note in report.notes)


def test_many_attachments_are_bounded_and_said():
    report = read_report("a.eml", mailed(*((f"{n}.csv", "text/csv", b"ipv4,203.0.113.7\n") for n in range(25))))
    assert sum("was not read" in note for note in report.notes) == 5
