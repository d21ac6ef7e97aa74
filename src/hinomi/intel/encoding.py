"""Bytes of a report -> text: byte-order mark, declared charset, strict decoding, then plausibility.

Japanese reports come as UTF-8, UTF-16, Shift_JIS (cp932), EUC-JP and ISO-2022-JP. Vendor characters of NEC's row 13
(circled digits, unit signs) are legal in practice but unknown to the strict JIS codecs, so JIS pairs are decoded
through cp932, which knows them.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from hinomi.model.errors import ReportError

SAMPLE = 1 << 16
_ALIASES = {
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "ms_kanji": "cp932",
    "windows-31j": "cp932", "ms932": "cp932", "euc-jp": "euc_jp", "eucjp": "euc_jp", "x-euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp", "utf8": "utf-8", "latin-1": "cp1252", "iso-8859-1": "cp1252", "ascii": "cp1252",
    "us-ascii": "cp1252",
}  # fmt: skip
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_JIS_SHIFT = re.compile(rb"\x1b(\$B|\$@|\$\(D|\(B|\(J|\(I)")
_JIS_MARK = re.compile(rb"\x1b(?:\$[B@]|\([BJ])")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\x80-\x9f\ufffd]")
_ASCII_CONTROL = bytes({*range(0x20), 0x7F} - {*b"\t\n\x0b\x0c\r\x1b"})
_OTHER_NEWLINES = "\r\x0b\x0c\x85\u2028\u2029"
_NEWLINES = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_MAX_DAMAGE = 0.02


def decode(data: bytes, source: str, *, declared: str | None = None) -> tuple[str, str, tuple[str, ...]]:
    """Return (text, encoding, notes) with newlines as `\\n`. Raises ReportError when the bytes are no text."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _finish(data[len(mark) :].decode(encoding, "replace"), encoding, source)
    if _JIS_MARK.search(data, 0, SAMPLE * 16) and data.isascii():
        return _finish(_from_iso2022(data), "iso2022_jp", source)
    if (wide := _wide_without_mark(data)) is not None:
        return _finish(data.decode(wide, "replace"), wide, source)
    if (text := _strict(data, "utf-8")) is not None:
        return _finish(text, "utf-8", source)
    return _finish(*_most_plausible(data, declared), source)


def _finish(text: str, encoding: str, source: str) -> tuple[str, str, tuple[str, ...]]:
    odd = 0 if _is_plain(text) else len(_CONTROL.findall(text))
    if odd > 8 and odd > len(text) * _MAX_DAMAGE:
        raise ReportError(
            "report-binary",
            place=source,
            cause="the content is binary, not text",
            next_step="give the report as text, HTML, PDF or an office file",
        )
    notes = (f"{odd} control or undecodable characters were shown as spaces or U+FFFD",) if odd else ()
    if any(map(text.__contains__, _OTHER_NEWLINES)):
        text = _NEWLINES.sub("\n", text)
    return (_CONTROL.sub(_harmless, text) if odd else text), encoding, notes


def _is_plain(text: str) -> bool:
    """Whether a text is ASCII without control characters, as most are: bytes are counted in no time."""
    return text.isascii() and len(text.encode().translate(None, _ASCII_CONTROL)) == len(text)


def _harmless(match: re.Match[str]) -> str:
    return "\ufffd" if match.group() == "\ufffd" else " "


def _strict(data: bytes, encoding: str) -> str | None:
    """Decode strictly, but let a character cut at the very end go: reports get truncated."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data, False)
    except (UnicodeDecodeError, LookupError):
        return None


def _wide_without_mark(data: bytes) -> str | None:
    """UTF-16 without a mark: read the right way round, it is mostly ASCII and kana, whose high bytes are 0 and 0x30."""
    sample = data[:4096]
    if len(sample) < 8 or b"\0" not in sample:
        return None
    for encoding in ("utf-16-le", "utf-16-be"):
        text = _strict(sample, encoding)
        if (
            text
            and sum(1 for c in text if " " <= c < "\x7f" or c in "\t\r\n" or "\u3000" <= c < "\u3100") > len(text) * 0.4
        ):
            return encoding
    return None


def _most_plausible(data: bytes, declared: str | None) -> tuple[str, str]:
    """Choose among the encodings that decode strictly by how Japanese (or Western) their sample looks."""
    wanted = _ALIASES.get((declared or "").strip().lower(), (declared or "").strip().lower())
    best: tuple[float, str, str] | None = None
    for encoding in ("cp932", "euc_jp", "cp1252"):
        text = _decoded(data, encoding)
        if text is None:
            continue
        score = plausibility(text[:SAMPLE]) + (0.15 if encoding == wanted else 0.0)
        if best is None or score > best[0]:
            best = (score, text, encoding)
    damaged = data.decode("utf-8", "replace")
    broken = damaged.count("\ufffd")
    score = plausibility(damaged[:SAMPLE]) - 8 * broken / max(len(damaged), 1)
    if best is None or score > best[0]:
        return damaged, "utf-8"
    return best[1], best[2]


def _decoded(data: bytes, encoding: str) -> str | None:
    if encoding == "euc_jp":
        return _strict(data, "euc_jp") or _from_euc(data)
    return _strict(data, encoding)


def plausibility(text: str) -> float:
    """Score how natural `text` looks, about -1 (wrong encoding) to 1 (running Japanese)."""
    total = weight = 0.0
    for character in text:
        if character.isascii():
            continue
        total += 1
        weight += _weight(ord(character))
    return weight / total if total else 0.0


def _weight(code: int) -> float:
    if 0x3040 <= code <= 0x30FF or 0x3000 <= code <= 0x3003:
        return 1.0
    if 0x4E00 <= code <= 0x9FFF or 0xFF01 <= code <= 0xFF5E or 0x3008 <= code <= 0x301F:
        return 0.8
    if 0xFF61 <= code <= 0xFF9F:  # half-width katakana: what EUC-JP looks like when read as Shift_JIS
        return -0.8
    if code in (0x2018, 0x2019, 0x201C, 0x201D, 0x2013, 0x2014, 0x2026, 0x2022, 0xA9, 0xAE, 0x2122):
        return 0.6
    if 0xC0 <= code <= 0x24F:
        return 0.1
    if 0xE000 <= code <= 0xF8FF or code < 0xA0:
        return -1.5
    return 0.0


def _pairs(data: bytes) -> Iterator[tuple[int, int]]:
    return zip(data[0::2], data[1::2], strict=False)


def _jis_pair(high: int, low: int) -> bytes:
    """One JIS X 0208 pair (0x21-0x7E each) as Shift_JIS."""
    lead = ((high + 1) >> 1) + (0x70 if high < 0x5F else 0xB0)
    trail = low + 0x7E if high % 2 == 0 else low + (0x20 if low >= 0x60 else 0x1F)
    return bytes((lead, trail))


def _from_jis_pairs(data: bytes) -> str:
    pieces = [_jis_pair(a, b) if 0x21 <= a <= 0x7E and 0x21 <= b <= 0x7E else b"?" for a, b in _pairs(data)]
    return b"".join(pieces).decode("cp932", "replace")


def _from_iso2022(data: bytes) -> str:
    text = _strict(data, "iso2022_jp")
    if text is not None:
        return text
    pieces: list[str] = []
    mode, last = b"(B", 0
    for shift in [*_JIS_SHIFT.finditer(data), None]:
        chunk = data[last : shift.start()] if shift else data[last:]
        pieces.append(_jis_chunk(chunk, mode))
        if shift:
            mode, last = shift.group(1), shift.end()
    return "".join(pieces)


def _jis_chunk(chunk: bytes, mode: bytes) -> str:
    if mode in (b"$B", b"$@"):
        lines = chunk.split(b"\n")  # a line's end returns to ASCII when the writer forgot the shift
        return "\n".join(_from_jis_pairs(line.rstrip(b"\r")) for line in lines)
    if mode == b"(I":
        return bytes(b | 0x80 for b in chunk).decode("cp932", "replace")
    return chunk.decode("ascii", "replace")


_EUC = re.compile(rb"[\x00-\x7f]+|(?:[\xa1-\xfe][\xa1-\xfe])+|(?:\x8e[\xa1-\xdf])+|(?:\x8f[\xa1-\xfe][\xa1-\xfe])+")


def _from_euc(data: bytes) -> str | None:
    """EUC-JP with vendor characters; None when the bytes do not follow EUC's form."""
    pieces: list[str] = []
    position = 0
    while position < len(data):
        match = _EUC.match(data, position)
        if match is None:
            if len(data) - position == 1:
                break
            return None
        pieces.append(_euc_run(match.group()))
        position = match.end()
    return "".join(pieces)


def _euc_run(run: bytes) -> str:
    if run[0] < 0x80:
        return run.decode("ascii")
    if run[0] == 0x8E:
        return run[1::2].decode("cp932", "replace")
    if run[0] == 0x8F:
        return run.decode("euc_jp", "replace")
    return _from_jis_pairs(bytes(b & 0x7F for b in run))
