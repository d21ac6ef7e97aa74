"""Telling advice (what to do) from narration (what happened), in English and Japanese."""

from __future__ import annotations

import re

_JA = re.compile(
    r"べき(?:です|である|で|だ|と|。|$)|(?:して|行って|確認|ご利用|変更|適用|無効化|検討|注意)(?:し|して)?ください|"
    r"ください(?:。|$)"
    r"|(?:強く)?(?:推奨|お勧め|勧告|要請)(?:し(?:て|ます)|され|する)|(?:する|行う|行なう|実施する|しておく|実行する|"
    r"対処する|取る)?必要(?:が(?:あり|ある)|です)|(?:する|従う|行う)のが(?:よい|良い|望ましい)"
    r"|(?:する|確認する|検討する)こと(?:。|$)|(?:こと|の)が(?:重要|望まし|有効|推奨)|ことも可能です|しましょう|"
    r"防ぐことができます|を徹底|に努め"
)
_SEE = re.compile(r"(?i)(?:please )?(?:see|refer to|read|visit|consult)\b")
_LOOK_UP = re.compile(r"(?:参照|ご覧|お問い合わせ|お読み)(?:して|に?なって)?(?:下さい|ください)。?$")
"""Where to read on is no step: 詳細は…を参照してください."""
_EN = re.compile(
    r"(?i)\b(?:should|must|recommend\w*|advis(?:e|es|ed) (?:that|to|users|customers|organi[sz]ations|all)|urg(?:e|es|"
    r"ed|ing)|encourag(?:e|es|ed)|make sure|"
    r"ensure (?:that|all|your|you)|need to|needs to|best practices?|be sure to|it is important|please|consider "
    r"\w+ing|are required to|can protect|can prevent|can reduce)\b"
)
EN_HINTS = (
    "should", "must", "recommend", "advis", "urg", "encourag", "make sure", "ensure", "need", "best prac", "be sure",
    "important", "please", "consider", "are required", "can pr", "can re",
)  # fmt: skip
"""In lower case; every match of the English pattern holds one."""
_VERBS = (
    "apply|update|upgrade|patch|install|disable|enable|block|monitor|review|implement|train|educate|use|enforce|"
    "restrict|limit|audit|"
    "check|verify|scan|search|hunt|look|isolate|remove|delete|kill|stop|terminate|reset|rotate|change|revoke|"
    "investigate|segment|keep|avoid|ensure|"
    "back up|backup|require|configure|deploy|inspect|replace|rebuild|reimage|contact|report|follow|run|turn off|do "
    "not|never|harden|test|log|identify|examine|set|maintain|perform|add|deny|quarantine|uninstall|conduct|establish|"
    "validate"
)
_IMPERATIVE = re.compile(rf"^(?:{_VERBS})\b", re.IGNORECASE)
_ORDER = re.compile(
    r"(?:Upgrade|Update|Patch|Disable|Remove|Delete|Uninstall|Block|Rotate|Reset|Revoke|Restrict|Isolate|Replace) "
    r"(?=(?:the|all|any|every|your|its|their|to|access|traffic)\b|[^a-z]|[a-z]\S{0,60}[._/\\]\S)[^\n]{4,400}[.!]?$"
)
_NARRATES = re.compile(
    r"\b(?:was|were|is|are|has|have|had|did|can|could|will|would|fix(?:es|ed)|address(?:es|ed)|contain(?:s|ed))\b"
)
_BULLET = re.compile(r"^\s*(?:[-*+•‣◦・✔✓☑□☐■●○◯→]\ufe0f?|\(?\d{1,2}[.)）](?!\d)|[①-⑳]|\[[ xX]\])\s*")
_QUOTE = re.compile(r"^\s*(?:> ?)+")
_BULLET_STRONG = re.compile(r"^\s*[✔✓☑□☐]")
_JA_STEP = re.compile(
    r"(?:する|行う|削除|停止|確認|変更|適用|更新|無効化|実施|遮断|調査|隔離|監視|検討|徹底)(?:こと)?。?$"
)


def without_bullet(text: str) -> str:
    """Return a list item without its mark."""
    return _BULLET.sub("", _QUOTE.sub("", text)).strip()


def is_item(text: str) -> bool:
    """Whether a line is a list item."""
    return _BULLET.match(text) is not None


def is_checkbox(text: str) -> bool:
    """Whether a line is a box to tick."""
    return not text.isascii() and _BULLET_STRONG.match(text) is not None


def gives_advice(text: str) -> bool:
    """Whether a sentence says what should be done."""
    if not text.isascii() and _JA.search(text):
        return _LOOK_UP.search(text) is None
    return _EN.search(text) is not None


def is_pointer(text: str) -> bool:
    """Whether a sentence only says where to read on: `See section 5 for rules.`"""
    return _SEE.match(without_bullet(text)) is not None or _LOOK_UP.search(text) is not None


def is_step(text: str) -> bool:
    """Whether a list item or short sentence is itself a step: `Disable macros`, プロセスを停止する."""
    bare = without_bullet(text)
    return _IMPERATIVE.match(bare) is not None or _JA_STEP.search(bare) is not None


def is_order(text: str) -> bool:
    """Whether a sentence of running text tells the reader to do something: `Upgrade Xyz to 3.0.7 or later.`"""
    bare = without_bullet(text)
    return _ORDER.match(bare) is not None and _NARRATES.search(bare.split(",", 1)[0]) is None
