"""Is a dotted name a host, a file, or neither (code, a product, a detection name, two sentences without a blank)?"""

from __future__ import annotations

import re

from hinomi.intel.indicators.hosts import FILE_EXTENSIONS, RESERVED, is_documentation_host, is_host, is_product
from hinomi.intel.indicators.scan import Kind, Scan
from hinomi.intel.indicators.words import data_words

_PLATFORMS = "|".join(sorted(map(re.escape, data_words("detection_platforms.txt")), key=len, reverse=True))
_DETECTION_PREFIX = re.compile(rf"(?:^|[^\w./-])(?:{_PLATFORMS})[/:]$")
_DETECTION_LABELS = data_words("detection_words.txt")
_DETECTION_NAME = re.compile(r"(?:trojan|bkdr|troj|worm|ransom|tspy|hktl|coinminer|elf|js|vbs|hack|pua|rtkt|possible)_")
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
        "me",
        "app",
        "dev",
        "android",
        "androidx",
        "java",
        "javax",
        "kotlin",
    }
)
_HOST_ENDINGS = frozenset({"com", "net", "org", "jp", "ru", "cn", "de", "info", "uk"})
_DOMAIN_WORDS = re.compile(
    r"\bdomains?\b|\bhosts?\b|\bhostnames?\b|\bc2\b|c&c|\bdns\b|\bresolv|\bregistered\b|\bregistrar\b|\bwebsites?\b"
    r"|\bsites?\b|\bsubdomains?\b|\bservers?\b|\bwww\b|ドメイン|サーバ|ホスト|サイト|通信先"
)
_PLAINLY_DOMAIN = re.compile(r"\bdomains?\b|\bhostnames?\b|\bdns\b|\bresolv|\bregistered\b|ドメイン|名前解決")
_FILE_WORDS = re.compile(
    r"\bfiles?\b|\bdrops?\b|\bdropped\b|\bexecut|\bruns?\b|\battach|\barchives?\b|\bcarries\b|\bwrites?\b|\bimports?\b"
    r"|\bscripts?\b|\bread\b|\bpassword\b|\bdocuments?\b|\bcommand\b|\bbinary\b|\bsamples?\b|\bdlls?\b|\bopen(?:s|ed)?\b"
    r"|\bnamed\b|\bdownload|\bpayload\b|\bfetch|ファイル|添付|実行|書き込|作成|スクリプト|アーカイブ|文書|圧縮|置かれ|設置"
)
_CODE_HEADS = frozenset(
    {
        "this", "self", "obj", "object", "window", "document", "event", "e", "module", "exports", "process", "math",
        "json", "string", "array", "os", "sys", "re", "request", "response", "args", "env", "config", "console", "std",
        "system",
    }
)  # fmt: skip
# Top-level domains that are also the word that begins a sentence: `stopped.In`, `Tell.me`.
_WORD_ENDINGS = frozenset({"me", "it", "in", "is", "at", "to", "so", "no", "be", "my", "do", "am", "us", "as", "id"})
_SENTENCE = re.compile(r"[A-Z][a-z]+")
# Programs of DOS whose names look like hosts.
_DOS_PROGRAMS = frozenset(
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
        "debug.com",
    }
)
# Endings that mean a file unless the text says `domain`, though some are top-level domains (`.md`, `.py`, `.sh`).
_USUALLY_FILES = frozenset(
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
        "rs",
    }
)
_NOWHERE = 1000


def kind_of(scan: Scan, start: int, end: int) -> Kind:
    """Return what the dotted token at `start:end` names; remembered, because two families ask."""
    kind = scan.kinds.get(start)
    if kind is None:
        kind = scan.kinds[start] = _kind(scan, start, end)
    return kind


def _kind(scan: Scan, start: int, end: int) -> Kind:
    token = scan.text[start:end]
    lower = token.lower()
    labels = lower.split(".")
    standing_in = labels[-1] in RESERVED and is_documentation_host(lower)
    if standing_in and (scan.defanged(start, end) or labels[-1] == "example"):
        return "domain"  # a report's stand-in for a host; written plainly, `.test` and `.invalid` are mostly code
    hostlike, filelike = is_host(lower), labels[-1] in FILE_EXTENSIONS
    if not (hostlike or filelike) or is_product(lower) or _is_detection(scan, start, end, labels):
        return "neither"
    if scan.defanged(start, end):
        called = scan.text[end : end + 1] == "("  # an escaped dot of a regular expression, not a defanged one
        return "domain" if hostlike and not called else "neither"
    if not hostlike:
        return "file" if not _is_package(labels) and _is_file(scan, end, token) else "neither"
    if _is_code(scan, start, end, token, labels):
        return "neither"
    if lower in _DOS_PROGRAMS:
        return "domain" if _speaks_of_domains(scan, start, end) else "file"
    if filelike and labels[-1] != "com":
        return _either(scan, start, end, token, labels)
    return _bare_host(scan, start, end, token, labels)


def _is_detection(scan: Scan, start: int, end: int, labels: list[str]) -> bool:
    """`Win32/Agent.ABC`, `Trojan.Linux.Name`, `BKDR_NAME.SM`."""
    slash = scan.text[start - 1 : start] in ("/", ":")
    if slash and _DETECTION_PREFIX.search(scan.lower, max(0, start - 24), start):
        return True
    if scan.text[end : end + 1] == "!":
        return slash
    ordinary = labels[-1] in _USUALLY_FILES
    if not _DETECTION_LABELS.isdisjoint(labels[:-1]):
        capital = scan.text[start].isupper() and not ordinary
        return labels[-1] not in FILE_EXTENSIONS or len(labels) > 2 or capital
    return "_" in labels[0] and not ordinary and _DETECTION_NAME.match(labels[0]) is not None


def _is_package(labels: list[str]) -> bool:
    """`com.maker.app`: a name of code, written from the top-level domain down."""
    return len(labels) >= 3 and labels[0] in _PACKAGE_HEADS and labels[-1] not in _HOST_ENDINGS


def _is_code(scan: Scan, start: int, end: int, token: str, labels: list[str]) -> bool:
    """Calls, class names, packages: `System.Net.WebClient`, `socket.io(`; also two sentences (`left.It`)."""
    before, after = scan.text[start - 1 : start], scan.text[end : end + 1]
    if (
        after == "="
        or (after == "(" and labels[-1] not in FILE_EXTENSIONS)
        or before in ("$", "#", ")", "]", ".", "@")
        or _is_package(labels)
    ):
        return True
    if labels[0] in _CODE_HEADS:
        return True
    last = token.rsplit(".", 1)[-1]
    return bool(_SENTENCE.match(last)) and not last.isupper()


def _bare_host(scan: Scan, start: int, end: int, token: str, labels: list[str]) -> Kind:
    """A host by form only: sentences run together and abbreviations are sorted out."""
    last = token.rsplit(".", 1)[-1]
    short = len(labels) == 2 and len(labels[0]) < 5
    doubtful = (last.isupper() and not token.isupper()) or (token.isupper() and short)
    if doubtful and not _speaks_of_domains(scan, start, end):
        return "neither"
    if len(labels) > 2:
        return "domain"
    wordy = labels[1] in _WORD_ENDINGS and labels[0].isalpha() and not _alone(scan, start, end)
    if wordy and not _speaks_of_domains(scan, start, end):
        return "neither"
    return "neither" if len(labels[0]) == 1 and len(labels[1]) == 2 else "domain"


def _alone(scan: Scan, start: int, end: int) -> bool:
    """In a line or cell of its own, as a list of hosts has it."""
    return not scan.before(start, 12).strip(" -*|`") and not scan.after(end, 6).strip(" |`,;")


def _either(scan: Scan, start: int, end: int, token: str, labels: list[str]) -> Kind:
    """An ending that is both (`.zip`, `.sh`, `.app`): what does the text speak of?"""
    usual = labels[-1] in _USUALLY_FILES
    if labels[0] == "www":
        return "domain"
    domain = _distance(_PLAINLY_DOMAIN if usual else _DOMAIN_WORDS, scan, start, end)
    file = _distance(_FILE_WORDS, scan, start, end)
    if domain != file:
        return "domain" if domain < file else "file"
    return "domain" if len(labels) > 2 and "_" not in token and not usual and labels[-1] != "zip" else "file"


def _speaks_of_domains(scan: Scan, start: int, end: int) -> bool:
    return _distance(_DOMAIN_WORDS, scan, start, end) < _NOWHERE


def _distance(words: re.Pattern[str], scan: Scan, start: int, end: int) -> int:
    """How far the nearest of `words` stands in the same line; 500 when only the list's lead-in has one."""
    before = scan.before(start, 80)
    best = _NOWHERE
    for match in words.finditer(before):
        best = len(before) - match.end()
    if (later := words.search(scan.after(end, 80))) is not None:
        best = min(best, later.start())
    if best == _NOWHERE and words.search(scan.lead(start)):
        return 500
    return best


def _is_file(scan: Scan, end: int, token: str) -> bool:
    """A name with a file's extension that is no class (`Foo.Bin`), call (`x.open(`), number (`1.2.c`) or initial."""
    stem, _, last = token.rpartition(".")
    if last != last.lower() and not last.isupper() and last.lower() not in _USUALLY_FILES:
        return False
    if scan.text[end : end + 1] == "(" and last.lower() not in ("exe", "dll"):
        return False
    if len(last) == 1 and not (len(stem) >= 3 and stem.isascii()):
        return False
    return last.lower() in _USUALLY_FILES or not all(part.isdigit() for part in stem.split("."))
