"""Bytes of every Japanese encoding become the same text; nothing but ReportError is raised."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.encoding import decode
from hinomi.model.errors import ReportError

TEXT = "攻撃者は新しいマルウェア「カワラ」を用いて、日本の企業を狙っています。\r\n通信先は example[.]net です。\n" * 3


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp932", "euc_jp", "iso2022_jp"]
)
def test_every_encoding_gives_the_same_text(encoding):
    text, found, notes = decode(TEXT.encode(encoding), "report")
    assert text == TEXT.replace("\r\n", "\n")
    assert found
    assert notes == ()


def _jis(pairs):
    """Bytes of JIS X 0208 pairs given as rows and cells."""
    return bytes(b for row, cell in pairs for b in (row + 0x20, cell + 0x20))


def test_nec_row_13_in_iso_2022_jp():
    data = b"\x1b$B" + _jis([(13, 1), (13, 2), (4, 2)]) + b"\x1b(B evil\n"
    assert decode(data, "report")[0] == "①②あ evil\n"


def test_nec_row_13_in_euc_jp():
    data = bytes(b | 0x80 for b in _jis([(13, 1)])) + "あいうえお、かきくけこ。".encode("euc_jp")
    assert decode(data, "report")[0] == "①あいうえお、かきくけこ。"


def test_nec_row_13_in_shift_jis():
    assert decode("①対策を実施する".encode("cp932"), "report")[0] == "①対策を実施する"


def test_western_text_stays_western():
    assert decode("The actor’s café — “quoted”".encode("cp1252"), "report")[0] == "The actor’s café — “quoted”"


def test_a_character_cut_at_the_end_is_forgiven():
    data = "通信先を確認する".encode()[:-1]
    assert decode(data, "report")[0] == "通信先を確認す"


def test_utf_8_with_single_broken_bytes_stays_utf_8():
    data = "通信先を確認する。".encode() * 40
    text, encoding, notes = decode(data[:90] + b"\xff" + data[90:], "report")
    assert encoding == "utf-8"
    assert text.count("通信先") >= 39
    assert notes


@pytest.mark.parametrize(
    "data", [b"\x7fELF\x02\x01\x01" + bytes(200), bytes(range(256)) * 8, b"\x89PNG\r\n\x1a\n" + bytes(64)]
)
def test_binary_is_refused_with_a_next_step(data):
    with pytest.raises(ReportError) as caught:
        decode(data, "sample.bin")
    assert caught.value.code == "report-binary"
    assert caught.value.place == "sample.bin"
    assert caught.value.next_step


def test_single_nul_bytes_are_shown_as_blanks():
    text, _, notes = decode(b"C2 evil\x00.example here, and much other text around it", "report")
    assert "\0" not in text
    assert notes


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_text_or_report_error(data):
    try:
        text, _, _ = decode(data, "report")
    except ReportError:
        return
    assert "\r" not in text
    text.encode("utf-8")


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="あいうえおかきくけこ漢字仮名攻撃者情報通信。、「」ABCxyz ", min_size=30, max_size=200))
def test_japanese_text_survives_euc_jp_and_shift_jis(text):
    body = "これは報告書です。" * 3 + text
    for encoding in ("cp932", "euc_jp"):
        assert decode(body.encode(encoding), "report")[0] == body
