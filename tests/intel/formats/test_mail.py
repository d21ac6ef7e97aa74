"""Mailed reports: the best text part, subject and date."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.formats.mail import FORMAT
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
