"""What the words around a version say of it, in English and Japanese."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Status = Literal["fixed", "affected"]

VERSION = re.compile(
    r"(?:(?<![A-Za-z0-9_.])(?P<word>[Vv]ersions?|[Vv]er\.?|バージョン|リリース|[Rr]elease|ファームウェア) ?|"
    r"(?<![A-Za-z0-9_.-]))[vV]?"
    r"(?P<number>\d{1,5}(?:\.\d{1,6}){1,5}(?:R\d{1,3}(?:\.\d{1,3}){0,2}(?:-S\d{1,2})?)?(?:[-.]?(?:alpha|beta|rc|RC|M|p|P|u|hf|HF|SP|"
    r"sp|build|b)-?\d{1,5})?"
    r"(?:-[0-9]{1,6}(?:\.\d{1,5}|[A-Za-z]{0,4})|-h\d{1,3}|_\d{1,4})?|\d{1,3}(?:\.\d{1,3})?R\d{1,3}(?:\.\d{1,3}){0,2}|"
    r"\d{1,2}u\d{1,4}|"
    r"\d{1,3}(?=\.[xX*](?![A-Za-z0-9]))|\d{1,2}(?= ?(?:系(?![統譜列])|ブランチ)| branch(?:es)?\b))"  # 2.x, 2系
    r"(?![A-Za-z0-9_%]|\.\d)"
)

# What follows a version. Order matters: the first that matches at the version's end counts.
_AFTER: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(source), operator, hint)
    for source, operator, hint in (
        (r"(?:での|における|では|による)[^。]{0,16}(?:不十分|不完全)", "=", "none"),
        (r"(?:より|よりも)(?:前|古い|下位|以前)|[ ]?未満", "<", "affected"),
        (r"[ ]?(?:(?:および|及び)?(?:それ|これ)?(?:以前|以下)|まで(?:の)?(?:バージョン|が影響))", "<=", "affected"),
        (
            r"[ ]?(?:より(?:新しい|後)|または(?:それ)?以降|もしくはそれ以降|(?:および|及び|または|"
            r"もしくは)?(?:それ)?(?:以降|以上|以後))", ">=", ""),
        (
            r"[ ]?(?:の)?(?:いずれか|いずれ|どれか|どちらか)?(?:の(?:バージョン|版))?(?:へと|への|へ|にまで|まで|に)"
            r"(?:も|は)?(?:至急|速やかに|必ず|最新|直ち|早急)?[^。、]{0,6}(?:アップグレード|アップデート|更新|"
            r"バージョンアップ|移行|パッチ|上げ|引き上げ)", ">=", "fixed"),
        (
            r"[ ]?(?:の)?(?:いずれか|いずれ)?(?:において|にて|で|では|には|は)、?[^。、]{0,14}"
            r"(?:修正(?!不十分)|対処|対応され|解決|対応済|解消|改修)", ">=", "fixed",
        ),
        (r"[ ]?(?:を|の)(?:適用|インストール|導入|利用|ご利用|リリース)", ">=", "fixed-weak"),
        (
            r",? ?\(?(?:and|or|&) (?:all )?(?:earlier|older|below|prior|lower|previous|under)|\s?and all (?:earlier|"
            r"prior)|(?: |, )?(?:or|and) (?:earlier|below)", "<=", "affected"),
        (r",? ?\(?(?:and|or) (?:all )?(?:later|newer|above|higher|greater|up\b|beyond|any later)\)?|\+", ">=", ""),
        (
            r",? (?:which |that )?(?:also )?(?:has |have |was |were |is )?(?:released to )?(?:fix|address|resolv|"
            r"patch|remediat|mitigat|correct)(?:es|ed|ing|s)?\b", ">=", "fixed"),
        (
            r" (?:contains?|includes?|provides?) (?:the |a |an )?(?:fix|patch|remediation|security update)",
            ">=", "fixed",
        ),
        (r" (?:is|are|was|were) (?:the )?(?:latest )?(?:fixed|patched|safe)", ">=", "fixed"),
        (
            r"(?: branch| series| line| versions?| releases?)? (?:is|are|was|were) (?:not |un)(?:affected|impacted)",
            "=", "none",
        ),
        (r" (?:is|are|was|were) (?:also )?(?:affected|vulnerable|impacted|exploitable)", "=", "affected"),
        (
            r"(?:の(?:全|すべての|全ての|各)(?:バージョン|リリース|版))?(?:は|が|も|には?)[^。、]{0,12}"
            r"(?:影響を受け(?!ません|ない|ず|なか)|脆弱(?!では|でな|性は(?:ない|あり)))", "=", "affected"),
    )
)  # fmt: skip
_BEFORE: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(
        rf"\b(?i:{source})(?: (?:the )?(?:[A-Z][A-Za-z0-9.+_-]{{0,24}} ){{0,4}}(?i:(?:firmware |software )?versions?|"
        r"releases?|v|firmware|build)?|:)?[ :\"'“「『]{0,3}$"
    ), operator, hint)
    for source, operator, hint in (
        (
            r"(?:prior to|before|earlier than|older than|lower than|below|less than|preceding|up to but not "
            r"including|up to \(but not including\)|\buntil)", "<", "affected"),
        (r"(?:through|thru|up to(?:,? and including)?|no later than)", "<=", "affected"),
        (
            r"(?:upgrad|updat|mov|migrat|patch|switch|bump|rais)\w{0,4}(?: [\w.'/-]{1,20}){0,6} to"
            r"(?: at least| the latest| either| one of| any of)?",
            ">=", "fixed",
        ),
        (
            r"(?:fix(?:ed|es)?|patch(?:ed|es)?|resolv(?:ed|es)|address(?:ed|es)|remediat(?:ed|es)|correct(?:ed|s)|"
            r"mitigated|clos(?:ed|es)|released?)(?: [\w'-]{1,20}){0,5} (?:in|by|with|as of|from|starting with)",
            ">=", "fixed"),
        (
            r"(?:fixed|patched|corrected|safe|secure|recommended|fix|updated) (?:version|release|firmware|build|"
            r"firmware version)s?(?: (?:is|are|of [\w -]{1,30}))?\s?:?", ">=", "fixed"),
        (r"(?:at least|minimum|starting (?:with|from|in)|as of|since|beginning with)", ">=", ""),
        (r"(?:install|installing|apply|applying|deploy|run|running at least|released?|use|using)", ">=", "fixed-weak"),
        (r"(?:affects?|affecting|impacts?|vulnerable|affected|impacted)(?: [\w'&-]{1,24}){0,5}", "=", "affected"),
    )
)  # fmt: skip
_BEFORE_JA = (
    (re.compile(
        r"(?:修正(?:済み?)?|対策(?:済み?)?|推奨|最新|更新)(?:の)?(?:ファームウェア|ソフトウェア|"
        r"プログラム)?(?:バージョン|版|リリース)(?:は|として|である|が|の)?[、:：]?[ ]?(?:[A-Za-z][\w -]{1,24})?$"
    ), ">=", "fixed"),
    (re.compile(
        r"(?:影響を受ける|脆弱な|対象(?:となる)?)(?:製品|バージョン|ソフトウェア)?(?:は|として|が|の)?[、:：]?[ "
        r"]?(?:[A-Za-z][\w -]{1,24})?$"
    ), "=", "affected"),
)  # fmt: skip

_SYMBOLS = (("<=", "<="), ("≤", "<="), ("≦", "<="), ("<", "<"), (">=", ">="), ("≥", ">="), ("≧", ">="))

CONDITION_WORDS = (
    "<", ">", "+", "earlier", "older", "below", "prior", "lower", "previous", "under", "later", "newer", "above",
    "higher", "greater", "beyond", "fix", "address", "resolv", "patch", "remediat", "mitigat", "correct", "latest",
    "safe", "affect", "vulnerab", "impact", "exploit", "before", "less than", "preceding", "up to", "and up", "or up",
    "until", "through", "thru", "no later", "upgrad", "updat", "mov", "migrat", "switch", "bump", "rais", "clos",
    "releas", "secure", "recommend", "at least", "minimum", "starting", "as of", "since", "beginning", "install",
    "apply", "deploy", "run", "use", "using",
)  # fmt: skip
"""In lower case; what says something of a version in an English sentence holds one of these."""

FIX_WORDS = re.compile(
    r"(?i)\b(?:upgrad|updat|patch|fixed|fixes|remediat|migrat|mitigat|resolved|addressed)\w*|アップグレード|"
    r"アップデート|更新|修正|対策|バージョンアップ|推奨|移行|適用"
)
AFFECTED_WORDS = re.compile(r"(?i)\b(?:affect|vulnerab|impacted|susceptib|exploitable)\w*|影響|脆弱|対象")
HEAD_FIXED = re.compile(
    r"(?i)\b(?:fixed|patched|remediated|resolved|solution|safe) ?(?:version|release|in|firmware|build)?|"
    r"修正(?:済み?)?(?:バージョン|版)?|対策(?:済み?)?(?:バージョン|版)?|推奨バージョン|アップデート先|更新先"
)
HEAD_AFFECTED = re.compile(
    r"(?i)\b(?:affected|vulnerable|impacted)\b|影響を受ける|影響(?:バージョン|範囲)?|脆弱な|対象(?:バージョン|製品)?"
)
HEAD_WORDS = (
    "fixed", "patched", "remediated", "resolved", "solution", "safe", "修正", "対策", "推奨バージョン", "更新先",
    "アップデート先", "affected", "vulnerable", "impacted", "影響", "脆弱な", "対象",
)  # fmt: skip
"""In lower case; every match of the two patterns above holds one."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`operator version` is `status`. `weak` where only the neighbourhood says so."""

    operator: str
    status: Status
    weak: bool = False
    phrase: str = ""


def condition_at(text: str, start: int, end: int) -> Condition | None:
    """Return what `text` says of the version at `start:end` of one sentence; None where nothing is said."""
    after, before = text[end : end + 60].lstrip("」』\"'”"), text[max(0, start - 90) : start]
    if after[:1] == " " and after[1:2] >= "\u3040":  # a blank between a number and Japanese says nothing
        after = after[1:]
    for symbol, operator in _SYMBOLS:
        if before.rstrip().endswith(symbol):
            hint = "affected" if operator[0] == "<" else ""
            return _resolve(operator, hint, symbol, text, before)
    said_after = next(((o, h, f[0]) for p, o, h in _AFTER if (f := p.match(after))), None)
    if said_after and said_after[0] != "=":
        return _resolve(*said_after, text, before)
    said_before = next(((o, h, f[0]) for p, o, h in (*_BEFORE, *_BEFORE_JA) if (f := p.search(before))), None)
    if said_after and (said_before is None or said_after[1] == "none"):
        return _resolve(*said_after, text, before)
    return _resolve(*said_before, text, before) if said_before else None


def _resolve(operator: str, hint: str, phrase: str, text: str, before: str) -> Condition | None:
    if hint == "none":
        return None
    if hint == "fixed-weak":
        return (
            Condition(operator, "fixed", True, phrase)
            if FIX_WORDS.search(text) and not AFFECTED_WORDS.search(phrase)
            else None
        )
    if hint:
        return Condition(operator, hint, False, phrase)  # type: ignore[arg-type]
    if FIX_WORDS.search(text):
        return Condition(operator, "fixed", False, phrase)
    if AFFECTED_WORDS.search(before) or AFFECTED_WORDS.search(text):
        return Condition(operator, "affected", True, phrase)
    return None
