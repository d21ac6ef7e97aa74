"""Where an ASCII value ends when Japanese follows without a blank."""

from __future__ import annotations

import re

_CJK = re.compile("[\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\u3000-\u3002\u3008-\u3020]")
_PARTICLES = "をにへとがはのでやもか"
_HIRAGANA_RUN = re.compile("[\u3041-\u3096]{2,}")
_EXTENSION = re.compile(r"[\w\u3040-\u9fff ()（）-]{0,80}?\.[A-Za-z0-9]{1,5}(?![A-Za-z0-9.])")


def is_japanese(character: str) -> bool:
    """Tell whether `character` is kana, kanji or Japanese punctuation."""
    return _CJK.match(character) is not None


def cut_at_japanese(value: str, separators: str) -> str:
    """Cut `value` where running Japanese begins.

    Japanese may be part of a path or URL as a whole segment (`/資料/請求書.zip`); after ASCII within a segment it
    is the sentence going on (`auth.phpにアクセス`).
    """
    if value.isascii():
        return value
    match = _CJK.search(value)
    while match is not None:
        place = match.start()
        if place == 0 or value[place - 1] not in separators:
            return value[:place]
        end = _segment_end(value, place, separators)
        if end <= place:
            return value[:place]
        match = _CJK.search(value, end)
    return value


def _segment_end(value: str, place: int, separators: str) -> int:
    """Return the end of the Japanese segment at `place`, or `place` when it is prose instead."""
    stop = place
    while stop < len(value) and value[stop] not in separators:
        stop += 1
    segment = value[place:stop]
    if segment[0] in _PARTICLES and (len(segment) < 2 or _CJK.match(segment[1])):
        return place
    if extension := _EXTENSION.match(segment):
        return place + extension.end()
    if stop < len(value):
        return stop
    return place if _HIRAGANA_RUN.search(segment) or segment[-1] in "。、" else stop
