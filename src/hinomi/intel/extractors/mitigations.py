"""What a report advises to do, step by step, and what each step is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from hinomi.intel.advice import is_checkbox, is_item, is_order, is_pointer, is_step, without_bullet
from hinomi.intel.extractor import Candidate, ReadingContext, Sentence
from hinomi.intel.names.accounts import ACCOUNT
from hinomi.intel.names.words import advice_starts
from hinomi.intel.versions.binding import topic_of
from hinomi.intel.versions.conditions import VERSION
from hinomi.intel.versions.nouns import noun_before
from hinomi.intel.vocabulary.names import name_index
from hinomi.intel.vocabulary.products import find_products

_MAX_STEP = 600
_ARTEFACT = re.compile(r"[「『\"`“]([A-Za-z0-9_.$/\\-]{2,60})[」』\"`”]")
_DEFANGED = re.compile(r"[\[({]\.")
_ACTIONS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(source))
    for name, source in (
        ("update",
            r"(?i)アップグレード|アップデート|更新プログラム|を更新|[にへ]更新|更新(?:する|して)|パッチ|バージョンアップ|最新(?:版|バージョン)|\bupgrad|"
            r"\bupdat|\bpatch"),
        ("disable", r"(?i)無効|\bdisabl|turn off|\bblock macros|停止する|オフに"),
        ("remove", r"(?i)削除|除去|アンインストール|\bremov|\bdelet|\bkill|プロセスを停止|uninstall"),
        ("verify", r"(?i)確認|検証|整合性|\bverif|\bcheck|\binspect|\breview|\baudit"),
        ("scan", r"(?i)スキャン|診断|検査|\bscan|\bhunt"),
        ("investigate", r"(?i)調査|フォレンジック|\binvestigat|\bforensic"),
        ("monitor", r"(?i)監視|ログ(?:を|の)|\bmonitor|\blogging|\balert"),
        ("restrict", r"(?i)制限|遮断|ブロック|多要素|\brestrict|\bblock|\bsegment|\bMFA\b|multi-factor|\blimit"),
        ("reset", r"(?i)パスワード(?:を|の)(?:変更|リセット)|\breset|\brotat|\brevok|失効"),
        ("educate", r"(?i)教育|従業員|見分け|訓練|意識|\btrain|\beducat|\bawareness|\bemployees"),
    )
)  # fmt: skip


class MitigationsExtractor:
    """Yields mitigation candidates with what they are about in `attributes`."""

    name = "mitigations"

    def extract(self, context: ReadingContext) -> Iterable[Candidate]:
        """Yield one candidate per step: advice anywhere, and list items of mitigation sections."""
        advice = advice_starts(context)
        for sentence in context.sentences:
            role = context.sections[sentence.section].role if sentence.section is not None else "other"
            if _is_heading(context, sentence) or role in _NO_ADVICE or not 6 <= len(sentence.text) <= _MAX_STEP:
                continue
            confidence = _confidence(sentence.text, role == "mitigation", sentence.span[0] in advice)
            if confidence and not is_pointer(sentence.text):
                yield from _step(context, sentence, confidence)


def _is_heading(context: ReadingContext, sentence: Sentence) -> bool:
    """`Recommended actions` names the steps below it and is none."""
    section = None if sentence.section is None else context.sections[sentence.section]
    return section is not None and section.role != "article" and sentence.span[0] == section.span[0]


_NO_ADVICE = frozenset({"sources", "indicators"})


def _confidence(text: str, here: bool, advised: bool) -> int:
    """How surely a sentence says what to do. `here`: in a section of mitigations; `advised`: in words of advice."""
    if is_checkbox(text):
        return 85
    if here and is_item(text):
        return 85 if advised or is_step(text) else 65
    if advised:
        return 85 if here else 65 if _actions(text) else 0
    if here and is_step(text):
        return 75
    if is_item(text) and is_step(text) and _actions(text) and not text.isascii():
        return 60
    return 60 if is_order(text) and _actions(text) else 0


def _actions(text: str) -> list[str]:
    return [name for name, pattern in _ACTIONS if pattern.search(text)]


def _step(context: ReadingContext, sentence: Sentence, confidence: int) -> Iterator[Candidate]:
    bare = without_bullet(sentence.text)
    start = sentence.span[0] + sentence.text.find(bare[:20]) if bare else sentence.span[0]
    end = min(start + len(bare), sentence.span[1])
    if not bare or end <= start:
        return
    value = " ".join(bare.split())
    yield Candidate(
        type="mitigation", value=value, span=(start, end), confidence=confidence, why="says what to do",
        attributes=_about(sentence.text),
    )  # fmt: skip


def _about(text: str) -> dict[str, Any]:
    """What the step speaks of: actions, products, versions, names."""
    about: dict[str, Any] = {}
    if actions := _actions(text):
        about["actions"] = actions
    if products := list(dict.fromkeys(hit.canonical for hit in find_products(text))):
        about["product"] = products[0]
        about["products"] = products
    versions = [found for found in VERSION.finditer(text) if not _is_address(text, found, actions)]
    if versions:
        about["versions"] = [found["number"] for found in versions]
        before = text[: versions[0].start()]
        noun = None if products else noun_before(before) or topic_of(before)
        if noun and not is_step(text[noun[0] : noun[1]]):
            about["product"] = text[noun[0] : noun[1]]
            about["products"] = [about["product"]]
    if artefacts := _ARTEFACT.findall(text):
        about["artefacts"] = artefacts
    if accounts := [found["x"] for found in ACCOUNT.finditer(text)]:
        about["accounts"] = list(dict.fromkeys(accounts))
    names = [
        h.forms[0].name.canonical
        for h in name_index().find(text)
        if not h.forms[0].ordinary and text[h.start].isupper()
    ]
    if names:
        about["threats"] = list(dict.fromkeys(names))
    return about


def _is_address(text: str, found: re.Match[str], actions: Sequence[str]) -> bool:
    """Whether what looks like a version is (the beginning of) an IPv4 address."""
    if _DEFANGED.match(text, found.end()):
        return True
    octets = found["number"].split(".")
    return len(octets) == 4 and "update" not in actions and all(o.isdigit() and int(o) < 256 for o in octets)


EXTRACTOR = MitigationsExtractor()
