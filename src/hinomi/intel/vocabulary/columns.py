"""What the columns of an indicator list hold, told from their names in English and Japanese."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

from hinomi.model.claims import CLAIM_TYPES, ClaimType

VALUE = (
    "value", "indicator", "ioc", "ioc_value", "indicator_value", "observable", "artifact", "data", "値", "指標",
    "インジケータ", "インジケーター", "インディケータ", "インディケーター", "iocの値", "痕跡",
)  # fmt: skip
TYPE = (
    "type", "indicator_type", "ioc_type", "kind", "datatype", "data_type", "種別", "種類", "タイプ", "iocの種類",
    "iocの種別", "ioc種別", "ioc種類", "iocタイプ", "指標種別", "インジケータ種別", "インジケーター種別",
)  # fmt: skip
ROLE = ("role", "category", "threat_type", "threat", "役割", "用途")
PROSE = ("description", "comment", "note", "notes", "comments", "説明", "備考", "コメント")
CONFIDENCE = ("confidence", "confidence_level", "score", "確度", "信頼度")
TITLE = ("title", "name", "info", "report", "タイトル", "件名")
DATE = ("published", "date", "created", "generated", "公開日", "作成日")
MALWARE = (
    "malware_printable", "malware_family", "malware_families", "malware", "family", "signature", "マルウェア",
    "マルウェア名", "マルウェアファミリ", "マルウェアファミリー",
)  # fmt: skip
ACTOR = ("threat_actor", "adversary", "actor", "攻撃者", "攻撃グループ", "攻撃者グループ")
TECHNIQUE = ("attack_ids", "techniques", "ttps")
APART = frozenset(
    "reference references link source sources report permalink reporter author created modified updated date first"
    " last seen time timestamp id uuid count size length status online asn country port".split()
)
"""Words of columns that tell of the list's making: what stands in them is no indicator."""

_WORDS: dict[str, ClaimType | None] = {
    "ip": "ipv4", "ips": "ipv4", "ipaddress": "ipv4", "ipv4": "ipv4", "ipv6": "ipv6", "cidr": "cidr", "subnet": "cidr",
    "hostname": "domain", "hostnames": "domain", "host": "domain", "fqdn": "domain", "domain": "domain",
    "domains": "domain", "onion": "domain", "url": "url", "urls": "url", "uri": "url", "email": "email",
    "emails": "email", "mail": "email", "md5": "md5", "sha1": "sha1", "sha256": "sha256", "sha512": "sha512",
    "ssdeep": "ssdeep", "imphash": "imphash", "tlsh": "tlsh", "ja3": "ja3", "ja3s": "ja3", "jarm": "jarm",
    "filename": "filename", "filenames": "filename", "filepath": "filepath", "regkey": "registry-key",
    "registry": "registry-key", "mutex": "mutex", "useragent": "user-agent", "cve": "cve", "cves": "cve",
    "vulnerability": "cve", "technique": "attack-technique", "btc": "wallet", "bitcoin": "wallet", "wallet": "wallet",
    "pipe": "pipe", "service": "service", "task": "task", "hash": None, "hashes": None, "filehash": None, "c2": None,
    "c2s": None, "cc": None, "ioc": None, "iocs": None, "indicators": None, "observables": None,
}  # fmt: skip
"""Words of column names and of cells of a column of types (None: the value decides)."""
_JOINED: dict[str, ClaimType | None] = {
    "ip_address": "ipv4", "ipv4_address": "ipv4", "ipv6_address": "ipv6", "ip_dst": "ipv4", "ip_src": "ipv4",
    "ip_port": "ipv4", "email_address": "email", "file_name": "filename", "file_names": "filename",
    "file_path": "filepath", "registry_key": "registry-key", "user_agent": "user-agent", "sha_1": "sha1",
    "sha_256": "sha256", "sha_512": "sha512", "scheduled_task": "task", "task_name": "task",
    "windows_scheduled_task": "task", "service_name": "service", "windows_service_name": "service",
    "named_pipe": "pipe", "ja3_fingerprint": "ja3", "jarm_fingerprint": "jarm",
}  # fmt: skip
_JAPANESE: dict[str, ClaimType | None] = {
    "ipv6アドレス": "ipv6", "ipアドレス": "ipv4", "ipv4アドレス": "ipv4", "ドメイン": "domain", "ホスト名": "domain",
    "メールアドレス": "email", "ファイル名": "filename", "ファイルパス": "filepath", "ミューテックス": "mutex",
    "サービス": "service", "タスク": "task", "名前付きパイプ": "pipe", "レジストリ": "registry-key",
    "ユーザーエージェント": "user-agent", "ユーザエージェント": "user-agent", "脆弱性番号": "cve",
    "ハッシュ": None, "通信先": None, "接続先": None, "アドレス": None,
}  # fmt: skip
"""Words within longer names, the first that fits."""
_LONELY = frozenset({"file", "path", "host", "uri", "service", "task", "registry", "pipe", "technique", "cc"})
"""Words that say a type in a column of types, and as the name of a column may mean anything."""
_OWN = frozenset({"md5", "sha1", "sha256", "sha512", "ssdeep", "imphash", "tlsh", "ipv4", "ipv6", "url", "domain"})
_CELLS: dict[str, ClaimType | None] = {"file": "filename", "path": "filepath", "link": "url"}
_LATIN = re.compile(r"(md5|sha1|sha256|sha512|url|ip)(?![a-z0-9])")
_BREAKS = re.compile(r"[\W_]+")


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """Return a column's name as it is compared: NFKC, case folded, words joined by `_`."""
    plain = unicodedata.normalize("NFKC", name[:200]).casefold()
    return _BREAKS.sub("_", plain).strip("_")


@lru_cache(maxsize=4096)
def kind_of(name: str) -> tuple[ClaimType | None, bool]:
    """Return the claim type that a word of a column of types names (None: the value decides), and whether any."""
    plain = folded(name)
    if (dashed := plain.replace("_", "-")) in CLAIM_TYPES:
        return dashed, True  # type: ignore[return-value]
    if plain in _CELLS:
        return _CELLS[plain], True
    return _told(plain)


@lru_cache(maxsize=4096)
def column_of(name: str) -> tuple[ClaimType | None, bool]:
    """Return the same for the name of a column, where a lonely word like `path` tells nothing."""
    plain = folded(name)
    if plain in _LONELY or not APART.isdisjoint(plain.split("_")):
        return None, False
    return _told(plain)


def _told(plain: str) -> tuple[ClaimType | None, bool]:
    words = plain.split("_")
    pairs = (f"{left}_{right}" for left, right in pairwise(words))
    for term in (plain, *pairs, *words):
        if kind := _JOINED.get(term) or _WORDS.get(term):
            return kind, True
    return _japanese(plain) or (None, any(word in _WORDS for word in words))


def _japanese(plain: str) -> tuple[ClaimType | None, bool] | None:
    """Words run together: SHA256ハッシュ値, C2サーバのIPアドレス."""
    if plain.isascii():
        return None
    if latin := _LATIN.match(plain):
        return _WORDS[latin[1]], True
    return next(((kind, True) for word, kind in _JAPANESE.items() if word in plain), None)


def heads_column(name: str) -> bool:
    """Whether a word is a type's own name, as the head of a table's column: MD5, URL; no thing is called so."""
    return _WORDS.get(folded(name)) in _OWN
