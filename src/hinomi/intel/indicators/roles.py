"""The role of an indicator, from the words of its line, its list's lead-in and its section."""

from __future__ import annotations

import re
from functools import lru_cache

from hinomi.intel.indicators.hosts import BENIGN_SITES, REFERENCE_SITES, site_in
from hinomi.intel.indicators.scan import Scan
from hinomi.model.claims import ClaimRole

_C2 = re.compile(
    r"\bc2\b|\bc&c\b|\bcnc\b|\bc and c\b|command[ -]and[ -]control|beacon|call(?:s|ing)? (?:home|back)|exfiltrat"
    r"|reverse shell|c2サーバ|c&cサーバ|通信先|指令サーバ|接続先|コールバック|ビーコン|窃取した(?:情報|データ)の送信"
)
_DELIVERY = re.compile(
    r"download|deliver|distribut|payload|drop(?:s|ped|per)|hosted|stager?\b|phish|lure|landing|spread|attachment"
    r"|installer|loader|ダウンロード|配布|配信|フィッシング|誘導|添付|ペイロード|設置"
)
_VICTIM = re.compile(
    r"\bvictims?\b|(?:infected|compromised) (?:host|machine|device)s?|被害(?:端末|者|組織)|感染端末"
    r"|感染した(?:端末|マシン)|被害を受け|被害に遭|被害(?:企業|法人|サイト)"
)
_IMPERSONATED = re.compile(
    r"(?:impersonat|spoof|mimick?|masquerad|pretend|posing|imitat|resembl)\w* (?:as |to be )?(?:\w+ ){0,3}$"
    r"|(?:legitimate|genuine|real) (?:site|domain|website)(?: of| at)? $|正規の(?:サイト|ドメイン)(?:である)?$"
)
# Right after the host: を装った, のサイトになりすまし
_POSED_AS = re.compile(
    r"[」』\"]?(?:\([^()]{0,30}\))?(?:の(?:正規の?)?(?:サイト|ウェブサイト|ページ|ログインページ|ログイン画面|ポータル))?"
    r"(?:を|に|と)(?:装|模[しす]|模倣|なりすま|偽装|見せかけ|騙[りっる]|似せ)"
)
_SENTENCE_END = re.compile(r"。|[.!?] ")
_SOURCE = re.compile(
    r"\bsources?\s?:|\breferences?\s?:|\bsee also\b|\bread more\b|\bavailable (?:at|on|from|here)\b|\bblog ?post\b"
    r"|\bfull (?:report|description)\b|\baccording to\b|\barticle\b|\bpublished (?:at|on)\b|情報源|出典|参照"
    r"|参考|引用|詳細は"
)
_NETWORK_BLOCK = re.compile(r"\bnetwork|\bdomains?\b|\bip addresses\b|\bservers?\b|\burls?\b|通信先|ドメイン|サーバ")
_ROLES: tuple[tuple[ClaimRole, re.Pattern[str]], ...] = (
    ("command-and-control", _C2),
    ("delivery", _DELIVERY),
    ("victim", _VICTIM),
)
_MARKS = " \t-*+|`'\"(<・●"


def network_role(scan: Scan, start: int, end: int, host: str) -> tuple[ClaimRole, int, str]:
    """Return (role, confidence, why) for a host or URL at `start:end`."""
    defanged = scan.defanged(start, end)
    before = scan.before(start, 90).strip(_MARKS)
    if not defanged and (cited := _cited(scan, start, host, before)):
        return cited
    posed_as = not defanged and _POSED_AS.match(scan.after(end, 40).lstrip())
    if posed_as or (before and _IMPERSONATED.search(before + " ")):
        return "impersonated", 40, "the text says that attackers pose as it"
    role, why = _attack_role(scan, start, end, before)
    confidence = 75 if role != "mentioned" else 65
    if defanged:
        why = why or "written defanged"
    return role, confidence, why


def _cited(scan: Scan, start: int, host: str, before: str) -> tuple[ClaimRole, int, str] | None:
    """Return the reference or benign role when a plainly written host is a site that reports cite."""
    if known := _known_site(host):
        return known
    if scan.defangs and before and not host.replace(".", "").isdigit() and scan.section(start).role != "indicators":
        return "reference", 30, "the report defangs its indicators, but not this"
    if (before and _SOURCE.search(before)) or scan.section(start).role == "sources":
        return "reference", 25, "given as a source"
    return None


@lru_cache(maxsize=4096)
def _known_site(host: str) -> tuple[ClaimRole, int, str] | None:
    if site_in(host, REFERENCE_SITES):
        return "reference", 20, "a site that reports cite as a source"
    if site_in(host, BENIGN_SITES):
        return "benign", 20, "a large public site, not written defanged"
    return None


@lru_cache(maxsize=4096)
def _said(text: str) -> ClaimRole | None:
    """The role that the words name, the first that fits."""
    return next((role for role, pattern in _ROLES if pattern.search(text)), None)


@lru_cache(maxsize=4096)
def _said_nearest(text: str) -> ClaimRole | None:
    """The role that the last telling words of the value's own sentence name."""
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    own = text[ends[-1] :] if ends else text
    places = [(found.end(), role) for role, pattern in _ROLES for found in pattern.finditer(own)]
    return max(places, key=lambda place: place[0])[1] if places else None


def _attack_role(scan: Scan, start: int, end: int, before: str) -> tuple[ClaimRole, str]:
    if before and (role := _said_nearest(before)):
        return role, f"the words before it say {role}"
    after = scan.after(end, 50).strip(_MARKS)
    if after and (role := _said(after)):
        return role, f"the words after it say {role}"
    if before and (role := _said(before)):
        return role, f"the sentence before it says {role}"
    if role := _said(scan.lead(start)):
        return role, f"its list or section says {role}"
    section = scan.section(start)
    if section.role == "indicators":
        return "malicious", "in the list of indicators"
    if _NETWORK_BLOCK.search(section.heading.lower()):
        return "malicious", "in a list of network indicators"
    return "mentioned", ""
