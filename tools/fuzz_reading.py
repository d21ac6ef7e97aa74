"""Fuzz the report reader: `python tools/fuzz_reading.py SECONDS [SEED]`.

Mutates the bundled reports, one sample of each structured format, and any texts named in FUZZ_TEXTS (a folder),
byte-wise, by blocks, by splicing in hostile runs and by changing encodings; half of the inputs are then put whole into
another format (an Office part, a PDF page, a mail, a table, JSON), so that what is hostile reaches the inside of
containers as well. Checks that reading gives a report whose spans hold, or one of our errors. Prints what it did, by
format; leaves with 1 at the first other exception, with the input beside it.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import random
import sys
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from xml.sax.saxutils import escape

from hinomi.intel.read import read_report
from hinomi.model.errors import HinomiError

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "src" / "hinomi" / "examples" / "reports"
RUNS = [
    "[.]",
    "hxxp://",
    "((((",
    "「「「",
    "0123456789abcdef",
    "../",
    "%",
    "&#x",
    "<td>",
    "\u200b",
    "．",
    "CVE-",
    "{{",
    "\n\n",
    "a.b.",
    "3.4.x ",
    " 2 系",
    "同じ集団は",
    "> > ",
    "| a ",
    '{"a":[',
    "http://[",
    "\u202e",
    "[.]1, ",
    " (also known as A1, B2)",
    "\u2060",
    "CVE-2024-1000 to CVE-2024-1040 ",
]
ENCODINGS = ["utf-8", "cp932", "euc_jp", "iso2022_jp", "utf-16", "utf-8-sig"]
MAX_BYTES = 400_000


def corpus() -> list[bytes]:
    """Return the texts to begin with."""
    folders = [REPORTS, *(Path(p) for p in [os.environ.get("FUZZ_TEXTS", "")] if p)]
    texts = [p.read_bytes() for folder in folders for p in sorted(folder.iterdir()) if p.is_file()]
    broken_pdf = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]>>endobj\ntrailer<</Root 1 0 R>>"
    adoc = b"= T\n:toc:\n\n== IoC\n|===\n| domain | a[.]example\n|===\n----\ncode\n----\nhttps://a.example[x]\n"
    markdown = (
        b"# T\n\n- [a](hxxps://a[.]example/x)\n\n```\ncode\n```\n| type | value |\n|---|---|\n| ip | 203.0.113.9 |\n"
    )
    return [*texts, *structured(), broken_pdf, adoc, markdown, *(put(texts[0]) for put in CONTAINERS)]


def structured() -> list[bytes]:
    """Return the tests' samples of STIX 1 and 2, MISP, OpenIOC and CSAF."""
    path = ROOT / "tests" / "intel" / "samples" / "intel_structured.py"
    spec = importlib.util.spec_from_file_location("samples", path)
    assert spec and spec.loader
    samples = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(samples)
    return [samples.stix2(), samples.misp(), samples.openioc(), samples.stix1(), samples.csaf()]


def _package(name: str, content: str, **others: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, text in {name: content, **others}.items():
            archive.writestr(part, text)
    return buffer.getvalue()


def _xml(data: bytes) -> str:
    return "".join(c for c in escape(data.decode("utf-8", "replace")) if c >= " " or c in "\t\n")


def word(data: bytes) -> bytes:
    """A Word file with one paragraph a line."""
    lines = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in _xml(data).split("\n"))
    head = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    return _package("word/document.xml", f"<w:document {head}><w:body>{lines}</w:body></w:document>")


def sheet(data: bytes) -> bytes:
    """A workbook with one row a line, one cell a word."""
    rows = "".join(
        "<row>" + "".join(f'<c t="str"><v>{cell}</v></c>' for cell in line.split(" ")[:200]) + "</row>"
        for line in _xml(data).split("\n")
    )
    page = {"xl/worksheets/sheet1.xml": f"<worksheet>{rows}</worksheet>"}
    return _package("xl/workbook.xml", "<workbook/>", **page)


def slides(data: bytes) -> bytes:
    """A presentation of one slide."""
    page = {"ppt/slides/slide1.xml": f"<s><p><r><t>{_xml(data)}</t></r></p></s>"}
    return _package("ppt/presentation.xml", "<p/>", **page)


def pdf(data: bytes) -> bytes:
    """A PDF of one page, its text compressed."""
    plain = data.decode("utf-8", "replace").encode("latin-1", "replace").decode("latin-1")
    lines = [line.replace("\\", "").replace("(", "").replace(")", "") for line in plain.split("\n")]
    stream = "BT /F1 10 Tf 50 800 Td 12 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
    body = zlib.compress(stream.encode("latin-1"))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 840]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream" % (len(body), body),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    index = b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + index + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(out)


def html(data: bytes) -> bytes:
    """A page whose article is the text as it is: its tags count."""
    return (
        b"<html><body><article><h1>t</h1><p>" + data + b"</p><table><tr><td>1</td></tr></table></article></body></html>"
    )


def mail(data: bytes) -> bytes:
    """A mail whose text is quoted."""
    head = b"From: a@b.example\r\nTo: c@d.example\r\nSubject: =?iso-2022-jp?B?GyRCJCIbKEI=?=\r\nContent-Type: text/plain\r\n\r\n"
    return head + b"> " + data.replace(b"\n", b"\r\n> ")


def attached(data: bytes) -> bytes:
    """A mail to which the text is attached as a Word file, as a PDF and as it is."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@b.example", "c@d.example", "t"
    message["Date"] = "Mon, 6 May 2024 10:00:00 +0900"
    message.set_content("see attached")
    for name, content in (("a.docx", word(data)), ("a.pdf", pdf(data)), ("a.txt", data), ("a.zip", b"PK" + data)):
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return bytes(message)


def table(data: bytes) -> bytes:
    """A list of values as comma-separated rows."""
    return b"type,value,comment\n" + b"".join(b'domain,"%s",x\n' % line for line in data.split(b"\n"))


def values(data: bytes) -> bytes:
    """JSON that holds the text line by line."""
    lines = data.decode("utf-8", "replace").split("\n")
    return json.dumps({"title": lines[0], "items": [{"value": line} for line in lines]}).encode()


CONTAINERS: tuple[Callable[[bytes], bytes], ...] = (word, sheet, slides, pdf, html, mail, attached, table, values)


def mutated(rng: random.Random, texts: list[bytes]) -> bytes:
    """Return one input."""
    data = bytearray(rng.choice(texts))
    for _ in range(rng.randint(1, 12)):
        kind = rng.randrange(6)
        at = rng.randrange(len(data) + 1)
        if kind == 0 and data:
            data[at - 1] = rng.randrange(256)
        elif kind == 1:
            del data[at : at + rng.randrange(400)]
        elif kind == 2:
            data[at:at] = rng.choice(RUNS).encode() * rng.randrange(1, 3000)
        elif kind == 3:
            other = rng.choice(texts)
            cut = rng.randrange(len(other) + 1)
            data[at:at] = other[cut : cut + rng.randrange(5000)]
        elif kind == 4:
            data[at:at] = rng.randbytes(rng.randrange(40))
        else:
            data = bytearray(bytes(data).decode("utf-8", "replace").encode(rng.choice(ENCODINGS), "replace"))
    plain = bytes(data[:MAX_BYTES])
    return rng.choice(CONTAINERS)(plain) if rng.random() < 0.5 else plain


def main(seconds: float, seed: int) -> int:
    """Fuzz for `seconds`."""
    rng, texts = random.Random(seed), corpus()
    start = time.monotonic()
    count = errors = size = 0
    slowest = 0.0
    formats: Counter[str] = Counter()
    while time.monotonic() - start < seconds:
        data = mutated(rng, texts)
        began = time.monotonic()
        try:
            report = read_report("fuzz", data)
            formats[report.media_type.rpartition("/")[2]] += 1
            broken = [c for c in report.claims if report.text[c.span[0] : c.span[1]] != c.text]
            assert not broken, broken[0]
        except HinomiError:
            errors += 1
        except Exception as error:  # noqa: BLE001  what the fuzzer is for
            Path("fuzz-crash.bin").write_bytes(data)
            print(f"crash after {count} inputs: {type(error).__name__}: {error} (input in fuzz-crash.bin)")
            return 1
        slowest = max(slowest, time.monotonic() - began)
        count, size = count + 1, size + len(data)
    took = time.monotonic() - start
    print(f"{count} inputs, {size / 1e6:.1f} MB in {took:.0f} s; {errors} refused; slowest {slowest:.2f} s; no crash")
    print("read as: " + ", ".join(f"{name} {times}" for name, times in formats.most_common()))
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
