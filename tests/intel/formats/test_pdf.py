"""PDF reports built here, byte by byte: text layer, no text layer, damage, bombs."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.formats.pdf import FORMAT
from hinomi.model.errors import HinomiError, ReportError


def pdf(*pages, compress=False, info=""):
    """A small PDF with one page per list of lines."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        stream = "BT /F1 10 Tf 50 800 Td 12 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
        body = zlib.compress(stream.encode()) if compress else stream.encode()
        filters = "/Filter /FlateDecode " if compress else ""
        objects.append((f"<< {filters}/Length {len(body)} >>\nstream\n", body, "\nendstream"))
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 840] /Contents {len(objects)} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    out, places = b"%PDF-1.4\n", []
    for number, value in enumerate(objects, 1):
        places.append(len(out))
        content = value.encode() if isinstance(value, str) else value[0].encode() + value[1] + value[2].encode()
        out += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    return out + f"trailer << /Size {len(objects) + 1} /Root 1 0 R {info} >>\nstartxref\n{start}\n%%EOF".encode()


def test_text_is_read_and_broken_values_are_joined():
    digest = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    document = FORMAT.extract(
        pdf(["The Kaze implant", f"MD5 {digest[:16]}", digest[16:], "It opens a configu-", "ration file."]), "a.pdf"
    )
    assert digest in document.text
    assert "configuration file" in document.text
    assert document.media_type == "application/pdf"


def test_pages_follow_each_other_without_running_heads():
    pages = [
        ["Vendor report", f"Body of part {word}", "Text", "More", f"{n}"]
        for n, word in enumerate(("one", "two", "three"), 1)
    ]
    text = FORMAT.extract(pdf(*pages), "a.pdf").text
    assert "Vendor report" not in text


def test_a_pdf_without_text_layer_says_so():
    with pytest.raises(ReportError) as caught:
        FORMAT.extract(pdf([]), "scan.pdf")
    assert caught.value.code == "report-no-text-layer"
    assert "OCR" in caught.value.next_step


@pytest.mark.parametrize("cut", [9, 60, 200, -30])
def test_truncated_files_are_read_or_refused(cut):
    data = pdf(["Some text of a report"])[:cut]
    try:
        assert FORMAT.extract(data, "a.pdf").text
    except ReportError as error:
        assert error.code in ("report-damaged", "report-no-text-layer", "report-no-text")


def test_a_compressed_bomb_costs_its_page_only():
    bomb = pdf(["A" * 40_000_000], compress=True)
    assert len(bomb) < 100_000
    with pytest.raises(ReportError):
        FORMAT.extract(bomb, "bomb.pdf")


def test_sniffing_is_by_content():
    assert FORMAT.sniff(b"junk\n%PDF-1.7") > 90
    assert FORMAT.sniff(b"report.pdf") == 0


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 700))
def test_damaged_bytes_raise_nothing_else(junk, place):
    data = pdf(["Some text of a report"])
    try:
        FORMAT.extract(data[:place] + junk + data[place + len(junk) :], "a.pdf")
    except HinomiError:
        return
