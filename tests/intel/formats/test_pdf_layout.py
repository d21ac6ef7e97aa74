"""Real PDFs made here: columns in reading order, tables by row, values broken over lines in every reading."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

from hinomi.intel.formats.pdf import FORMAT
from hinomi.intel.read import read_report
from hinomi.model.claims import Claim

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
LEFT = f"""The Kaze group has been active since 2024
and targets gateways. After it got in, the
implant loads its second stage from hxxps:
//tsuki-kumo[.]example which is writ-
ten to /usr/local/share/kaze/lib/nami/um
ihelper.so on each of the machines and has
{DIGEST[:40]}
{DIGEST[40:]} as its digest.
Nothing else was written to the machines.""".split("\n")
RIGHT = """Defenders should upgrade Roof Gateway to
version 9.4.12 or later. The second im-
plant listens on all ports. It is told by
its operators what to do by hoshi-mori.tsu
ki[.]example and from no other host. No
file of it is left behind at all, and logs
under /var/log/kaze/ show what it has done.
It was found on all of the machines in the
end, and was removed in the same night too.""".split("\n")
JAPANESE_LEFT = f"""攻撃グループ「風」は昨年から活動し、
ゲートウェイを標的とする。検体は第二段
階を hxxps://tsuki-kumo[.]example/up/um
i.bin から取得する。ファイルのハッシュ
値は {DIGEST[:30]}
{DIGEST[30:]} である。
ほかに書き込まれたものは見つからない。""".split("\n")
JAPANESE_RIGHT = """対策として Roof Gateway を 9.4.12 以降
へアップグレードすること。第二の検体は
すべてのポートで待ち受け、攻撃者の命令
を実行する。ログは次の場所に残されてお
り、調査の手がかりとなる。情報を提供い
ただいた各位に感謝する。今後も観測を続
け、続報を公開する予定である。""".split("\n")


def two_columns(left: list[str], right: list[str], font: str, *, across: bool) -> bytes:
    """A page of two columns, drawn one after the other, or line by line across both."""
    if font.startswith("Heisei"):
        pdfmetrics.registerFont(UnicodeCIDFont(font))
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=A4)
    page.setFont(font, 16)
    page.drawString(60, A4[1] - 50, "Kaze: 2026")
    page.setFont(font, 10)
    drawn = [(column, number) for column in (0, 1) for number in range(len((left, right)[column]))]
    for column, number in sorted(drawn, key=lambda place: place[::-1] if across else place):
        page.drawString(60 + 250 * column, A4[1] - 90 - 14 * number, (left, right)[column][number])
    page.setFont(font, 8)
    page.drawString(295, 30, "1")
    page.save()
    return out.getvalue()


def claims(data: bytes) -> dict[str, Claim]:
    return {c.value: c for c in read_report("a.pdf", data).claims}


@pytest.mark.parametrize("across", [True, False])
def test_columns_are_read_one_after_the_other(across: bool) -> None:
    text = FORMAT.extract(two_columns(LEFT, RIGHT, "Helvetica", across=across), "a.pdf").text
    places = [
        text.index(words) for words in ("Kaze group", DIGEST, "Nothing else", "Defenders should", "removed in the same")
    ]
    assert places == sorted(places)
    assert "The second implant listens" in text, "a hyphenated word is whole"
    assert "upgrade Roof Gateway to version 9.4.12" in text


@pytest.mark.parametrize("across", [True, False])
def test_japanese_columns(across: bool) -> None:
    data = two_columns(JAPANESE_LEFT, JAPANESE_RIGHT, "HeiseiMin-W3", across=across)
    text = FORMAT.extract(data, "a.pdf").text
    assert "昨年から活動し、ゲートウェイを標的とする" in text
    assert "9.4.12 以降へアップグレードすること" in text
    found = claims(data)
    assert found[DIGEST].type == "sha256"
    assert found["9.4.12"].attributes["product"] == "Roof Gateway"
    assert found["https://tsuki-kumo.example/up/umi.bin"].attributes["alternative_to"].endswith("/up/um")


def test_both_readings_of_a_broken_value_are_kept_and_say_why() -> None:
    found = claims(two_columns(LEFT, RIGHT, "Helvetica", across=True))
    assert found[DIGEST].type == "sha256", "its length says that it is whole"
    short, joined = found["/usr/local/share/kaze/lib/nami/um"], found["/usr/local/share/kaze/lib/nami/umihelper.so"]
    assert joined.confidence < short.confidence
    assert joined.attributes["alternative_to"] == short.value
    assert "is kept too" in joined.why
    whole = found["hoshi-mori.tsuki.example"]
    assert "no value by itself" in whole.why
    assert whole.text == "hoshi-mori.tsu\nki[.]example", "the span leads back to the broken text"
    assert whole.confidence > joined.confidence, "what stands before the line end is no host"
    assert "/var/log/kaze/show" not in found


def test_a_table_is_read_by_row() -> None:
    style = getSampleStyleSheet()["BodyText"]
    url = "hxxps://tsuki-kumo[.]example/a/very/long/path/that/does/not/fit/umi.bin"
    rows = [
        ["Indicator", "Type", "Role"],
        [Paragraph(DIGEST, style), "SHA-256", Paragraph("the loader of the first stage, seen in March", style)],
        [Paragraph(url, style), "URL", "delivery"],
        ["tsuki[.]example", "domain", Paragraph("command and control", style)],
    ]
    out = io.BytesIO()
    table = Table(rows, colWidths=[150, 60, 100], style=[("VALIGN", (0, 0), (-1, -1), "TOP")])
    SimpleDocTemplate(out, pagesize=A4).build([Paragraph("Indicators of Kaze", style), table])
    text = FORMAT.extract(out.getvalue(), "a.pdf").text
    assert f"{DIGEST} | SHA-256 | the loader of the first stage, seen in March" in text
    assert f"{url} | URL | delivery" in text
    assert claims(out.getvalue())["tsuki.example"].role == "command-and-control"


def test_what_a_browser_prints(tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("no chromium to print with")
    (tmp_path / "a.html").write_text(
        f"<meta charset=utf-8><style>body{{columns:2}}td{{overflow-wrap:anywhere;width:120px}}</style>"
        f"<h1>風</h1><p>{' '.join(LEFT[:2])}</p><table><tr><td>{DIGEST}<td>SHA-256<td>sample</table>"
    )
    printed = tmp_path / "a.pdf"
    subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
         "--no-pdf-header-footer", f"--print-to-pdf={printed}", str(tmp_path / "a.html")],
        check=False, capture_output=True, timeout=120,
    )  # fmt: skip
    if not printed.exists():
        pytest.skip("chromium does not print here")
    assert f"{DIGEST} | SHA-256 | sample" in FORMAT.extract(printed.read_bytes(), "a.pdf").text


THIRD = """The third part of this page tells which
hosts the implant asks: yuki-hana[.]tsuki-
kumo[.]example first, and then others in
turn, every ninety seconds. It keeps a log
at /var/tmp/.kaze-log and a lock beside it.
Whoever finds one of them should look for
the other one too, and take a copy of both
before the machine is started once again.
All of it was seen in April of this year.""".split("\n")


@pytest.mark.parametrize("across", [True, False])
def test_three_columns_are_read_one_after_the_other(across: bool) -> None:
    out = io.BytesIO()
    page = canvas.Canvas(out, pagesize=(842, 595))
    page.setFont("Helvetica", 10)
    columns = (LEFT, RIGHT, THIRD)
    drawn = [(column, number) for column in range(3) for number in range(len(columns[column]))]
    for column, number in sorted(drawn, key=lambda place: place[::-1] if across else place):
        page.drawString(40 + 255 * column, 540 - 14 * number, columns[column][number])
    page.save()
    text = " ".join(FORMAT.extract(out.getvalue(), "a.pdf").text.split())
    places = [text.find(words) for words in ("Nothing else was written", "version 9.4.12 or later", "The third part")]
    assert -1 not in places and places == sorted(places)
    found = claims(out.getvalue())
    assert {DIGEST, "/var/log/kaze", "/var/tmp/.kaze-log", "yuki-hana.tsuki-kumo.example"} <= found.keys()


def table_of(rows: list[list[str]], widths: list[int]) -> bytes:
    """A page with one table whose cells break their words wherever they are full."""
    style = getSampleStyleSheet()["Normal"].clone("narrow", splitLongWords=1, fontName="Courier", fontSize=8)
    out = io.BytesIO()
    cells = [[Paragraph(cell, style) for cell in row] for row in rows]
    SimpleDocTemplate(out, pagesize=A4).build([Table(cells, colWidths=widths)])
    return out.getvalue()


def test_a_value_broken_within_a_narrow_cell_is_read_across_and_at_the_break() -> None:
    found = claims(table_of([["Host", "Note"], ["cdn-mirror.example.com.tsuki-kumo[.]example", "C2"]], [120, 200]))
    whole = found["cdn-mirror.example.com.tsuki-kumo.example"]
    cut = found["cdn-mirror.example.com"]
    assert cut.confidence < whole.confidence and "cell" in cut.why


def test_whole_values_one_a_line_in_a_cell_stay_apart() -> None:
    found = claims(table_of([["Hosts", "Note"], ["203.0.113.41<br/>198.51.100.77<br/>192.0.2.9", "C2"]], [120, 200]))
    assert {"203.0.113.41", "198.51.100.77", "192.0.2.9"} <= found.keys()
