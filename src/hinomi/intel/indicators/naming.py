"""Is a dotted name a host, a file, or neither (code, a product, a detection name, two sentences without a blank)?"""

from __future__ import annotations

import re
from typing import Literal

from hinomi.intel.indicators.hosts import FILE_EXTENSIONS, is_host, is_product
from hinomi.intel.indicators.scan import Scan

Kind = Literal["domain", "file", "neither"]

# Endings that are both file extensions and top-level domains.
_DETECTION_PREFIX = re.compile(
    r"(?:^|[^\w./-])(?:win(?:32|64|16)?|w(?:32|64|16|97m|2km)|o97m|x97m|vba|msil|linux|unix|elf|android|androidos|osx|macos|mac|ios|js|vbs|php|html|java|python|perl|bat"
    r"|powershell|ps|swf|pdf|rtf|doc|nsis|bv|mal|troj|trojan|backdoor|exp|archbomb|generic|suspicious|multi|script|symbos|iphoneos|freebsd|solaris|autoit|lnk|hta|wm|xm|pua|ml)[/:]$"
)
_DETECTION_LABELS = frozenset(
    {
        "trojan",
        "backdoor",
        "worm",
        "virus",
        "ransom",
        "heur",
        "hacktool",
        "pua",
        "pup",
        "riskware",
        "adware",
        "win32",
        "win64",
        "w32",
        "w64",
        "msil",
        "trojanspy",
    }
    | {
        "trojandownloader",
        "trojandropper",
        "trojan-downloader",
        "trojan-spy",
        "trojan-ransom",
        "trojan-dropper",
        "trojan-banker",
        "rootkit",
        "exploit",
        "generic",
        "not-a-virus",
    }
    | {
        "gen",
        "troj",
        "ransomware",
        "spyware",
        "downloader",
        "dropper",
        "coinminer",
        "androidos",
        "behaveslike",
        "malware",
        "tspy",
        "bkdr",
        "ransom_",
    }
)
_PACKAGE_HEADS = frozenset(
    {
        "com",
        "org",
        "net",
        "io",
        "jp",
        "de",
        "ru",
        "cn",
        "uk",
        "edu",
        "gov",
        "android",
        "java",
        "javax",
        "androidx",
        "kotlin",
        "me",
        "app",
        "dev",
    }
)
_DOMAIN_WORDS = re.compile(
    r"\bdomains?\b|\bhosts?\b|\bhostnames?\b|\bc2\b|c&c|\bdns\b|\bresolv|\bregistered\b|\bregistrar\b|\bwebsites?\b|\bsites?\b|\bsubdomains?\b|\bservers?\b|\bwww\b|ドメイン|サーバ|ホスト|サイト|通信先"
)
_FILE_WORDS = re.compile(
    r"\bfiles?\b|\bdrops?\b|\bdropped\b|\bexecut|\bruns?\b|\battach|\barchives?\b|\bcarries\b|\bwrites?\b|\bimports?\b|\bscripts?\b|\bread\b|\bpassword\b|\bdocuments?\b|\bcommand\b|\bbinary\b|\bsamples?\b|\bdlls?\b|\bopen(?:s|ed)?\b|\bnamed\b"
    r"|ファイル|添付|実行|書き込|作成|スクリプト|アーカイブ|文書|圧縮"
)
_SENTENCE = re.compile(r"[A-Z][a-z]+")
_DOS_COMMANDS = frozenset(
    {
        "command.com",
        "more.com",
        "format.com",
        "mode.com",
        "tree.com",
        "chcp.com",
        "diskcopy.com",
        "diskcomp.com",
        "edit.com",
        "win.com",
        "graftabl.com",
        "keyb.com",
        "sys.com",
    }
)
_ALWAYS_FILES = frozenset(
    {
        "exe",
        "dll",
        "php",
        "asp",
        "aspx",
        "jsp",
        "html",
        "htm",
        "txt",
        "js",
        "vbs",
        "bat",
        "pdf",
        "xml",
        "json",
        "csv",
        "log",
        "doc",
        "docx",
        "xls",
        "xlsx",
        "jar",
        "md",
        "py",
        "sh",
        "pl",
        "so",
    }
)


def kind_of(scan: Scan, start: int, end: int) -> Kind:
    """Return what the dotted token at `start:end` names."""
    token = scan.text[start:end]
    lower = token.lower()
    labels = lower.split(".")
    last = labels[-1]
    hostlike, filelike = is_host(lower), last in FILE_EXTENSIONS
    if not hostlike and not filelike:
        return "neither"
    if is_product(token) or _is_detection(scan, start, end, labels):
        return "neither"
    if scan.defanged(start, end):
        return "domain" if hostlike else "neither"
    if filelike and not hostlike:
        return "file" if _is_file(scan, start, end, token) else "neither"
    if _is_code(scan, start, end, token, labels):
        return "neither"
    if not filelike:
        return _bare_host(scan, start, end, token, labels)
    return _either(scan, start, end, token, labels)


def _is_detection(scan: Scan, start: int, end: int, labels: list[str]) -> bool:
    """`Win32/Agent.ABC`, `Trojan.Linux.Name`, `BKDR_NAME.SM`."""
    before = scan.lower[max(0, start - 24) : start]
    if before.endswith(("/", ":")) and _DETECTION_PREFIX.search(before):
        return True
    if scan.text[end : end + 2] in ("!t", "!g", "!a", "!m", "!d") or scan.text[end : end + 1] == "!":
        return before.endswith(("/", ":"))
    heads = labels[:-1]
    if any(label in _DETECTION_LABELS for label in heads):
        return (
            labels[-1] not in FILE_EXTENSIONS
            or len(labels) > 2
            or scan.text[start].isupper()
            and labels[-1] not in _ALWAYS_FILES
        )
    return (
        bool(
            re.match(
                r"(?:trojan|bkdr|troj|worm|ransom|tspy|hktl|coinminer|elf|js|vbs|hack|pua|rtkt|possible)_", labels[0]
            )
        )
        and labels[-1] not in _ALWAYS_FILES
    )


def _is_code(scan: Scan, start: int, end: int, token: str, labels: list[str]) -> bool:
    """Calls, class names, packages: `System.Net.WebClient`, `com.maker.app`, `socket.io(`."""
    before, after = scan.text[start - 1 : start], scan.text[end : end + 1]
    if after == "(" or before in ("$", "#", ")", "]", ".") or (before == "@" and start > 1):
        return True
    if before == "." or after in ("=",):
        return True
    parts = token.split(".")
    if (
        len(labels) >= 3
        and labels[0] in _PACKAGE_HEADS
        and labels[-1] not in ("com", "net", "org", "jp", "ru", "cn", "de", "info", "uk")
    ):
        return True
    capital = [bool(_SENTENCE.match(part)) for part in parts]
    return len(parts) >= 2 and capital[-1] and not token.isupper() and parts[-1] != parts[-1].upper()


def _bare_host(scan: Scan, start: int, end: int, token: str, labels: list[str]) -> Kind:
    """A host by form only: sentences run together and abbreviations are sorted out."""
    last = token.rsplit(".", 1)[-1]
    if last.isupper() and not token.isupper() and not _wanted(_DOMAIN_WORDS, scan, start, end):
        return "neither"
    if token.isupper() and len(labels) == 2 and len(labels[0]) < 5 and not _wanted(_DOMAIN_WORDS, scan, start, end):
        return "neither"
    if len(labels) == 2 and len(labels[0]) == 1 and len(labels[1]) == 2:
        return "neither"
    if ".".join(labels) in _DOS_COMMANDS and not _wanted(_DOMAIN_WORDS, scan, start, end):
        return "file"
    return "domain"


def _either(scan: Scan, start: int, end: int, token: str, labels: list[str]) -> Kind:
    """An ending that is both (`.zip`, `.sh`, `.com`): what does the text speak of?"""
    name = ".".join(labels)
    last = labels[-1]
    if name in _DOS_COMMANDS:
        return "domain" if _wanted(_DOMAIN_WORDS, scan, start, end) else "file"
    if last == "com":
        return _bare_host(scan, start, end, token, labels)
    domain, file = _distance(_DOMAIN_WORDS, scan, start, end), _distance(_FILE_WORDS, scan, start, end)
    if labels[0] == "www":
        return "domain"
    if domain != file:
        return "domain" if domain < file else "file"
    return (
        "domain"
        if len(labels) > 2 and "_" not in token and last not in ("py", "sh", "md", "pl", "so", "zip")
        else "file"
    )


def _wanted(words: re.Pattern[str], scan: Scan, start: int, end: int) -> bool:
    return _distance(words, scan, start, end) < 1000


def _distance(words: re.Pattern[str], scan: Scan, start: int, end: int) -> int:
    """How far the nearest of `words` stands in the same line; 500 when only the list's lead-in has one; 1000 for none."""
    before, after = scan.before(start, 80), scan.after(end, 80)
    best = 1000
    for match in words.finditer(before):
        best = len(before) - match.end()
    if (match_after := words.search(after)) is not None:
        best = min(best, match_after.start())
    if best == 1000 and words.search(scan.lead(start)):
        return 500
    return best


def _is_file(scan: Scan, start: int, end: int, token: str) -> bool:
    stem, _, last = token.rpartition(".")
    if last.islower() is False and not last.isupper() and not last[0].isdigit() and last.lower() not in _ALWAYS_FILES:
        return False
    if scan.text[end : end + 1] == "(" and last.lower() not in ("exe", "dll"):
        return False
    if len(last) == 1 and not (len(stem) >= 3 and stem.isascii() and not stem.isdigit()):
        return False
    return not all(part.isdigit() for part in stem.split(".")) or last.lower() in _ALWAYS_FILES
