"""Which programs of the rewritten languages are worth reading: those that name what starts, reaches or changes things.

Most programs of a host do nothing that a rule speaks of, and a cheap look tells so. It must never be wiser than the
reading itself: each language's words are those that it acts by, asked for as the language writes them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.detect import Language
from hinomi.evidence.scripts.rewritten.calls import CALLED_BACK
from hinomi.evidence.scripts.syntax import comments

if TYPE_CHECKING:
    from tree_sitter import Tree

_ANY = (
    rb"/etc/(?:passwd|shadow|rc\.|cron|ld\.so)|/var/log/"
    rb"|(?i:\bselect\s[^;\n]{0,300}?(?:session|passw|hash|token|secret|credential))"
)
_PYTHON = (
    rb"\b(?:subprocess|popen\w*|system|spawn\w*|exec[lv]\w*|execfile|exec|eval|fork|forkpty|socket|sqlite3|psycopg2?|pymysql"
    rb"|MySQLdb|psutil|kill|killpg|dup2|urlopen|urlretrieve|requests|httpx|aiohttp|paramiko|b64decode|tarfile|zipfile"
    rb"|os\.remove|shutil|copyfile\w*|copytree|rename|replace|unlink|utime|chmod|Process|__import__|importlib)\b"
    rb"|[\"'](?:r\+b?|rb\+)[\"']"
)
_PERL = (
    rb"\b(?:system|exec|qx|fork|socket|IO::Socket\w*|LWP|HTTP::Tiny|getstore|DBI|kill|decode_base64|dup2|popen\w*|open[23]"
    rb"|spawn\w*|copy\w*(?=\s*[(\$'\"])|move(?=\s*[(\$'\"])|rename|unlink|utime|chmod|sqlite3?|SQLite)\b"
    rb"|`|\beval\b(?!\s*\{)|\brequire\s*[\$\"'(]|\bdo\s*[\$\"']|\bopen\b[^;\n]{0,200}[\"'][^\"'\n;|]{0,200}\||-\|"
)
_PHP_CALLS = (
    rb"exec|system|passthru|shell_exec|popen|proc_open|pcntl_\w+|eval|assert|create_function|p?fsockopen|socket_\w+"
    rb"|stream_socket_\w+|curl_\w+|base64_decode|gzinflate|gzuncompress|str_rot13|copy|rename|unlink|chmod|touch"
    rb"|file_put_contents|move_uploaded_file|symlink|posix_\w+|mysqli?_\w+|pg_\w+|sqlite_\w+|dl|putenv|mail"
)
_PHP_CALLED_BY_NAME = (
    rb"exec|system|passthru|shell_exec|popen|proc_open|pcntl_exec|eval|assert|create_function|p?fsockopen|base64_decode"
    rb"|gzinflate|gzuncompress|str_rot13|file_put_contents|move_uploaded_file"
)
_PHP = (  # asked of small letters: PHP's names of functions and classes know no case
    rb"\b(?=[abcdefgmpsu])(?:%b)\s*\(|[\"'](?:%b)[\"']|(?<![>:])\$\w+\s*\("
    rb"|\b(?:pdo|mysqli|sqlite3|phardata|ziparchive|new\s+com|ffi\s*::)\b"
    rb"|\b(?:include|require)(?:_once)?\b[^;\n]{0,300}(?:\$|://|/tmp|/shm|data:)"
    rb"|\$\w+ ?\(\$_(?:get|post|request|cookie)|`"
) % (_PHP_CALLS, _PHP_CALLED_BY_NAME)
_REQUEST = re.compile(rb"\$_(?:get|post|request|cookie|server|files)\b|php://input|getallheaders")
_CALL_OF_VARIABLE = re.compile(
    rb"(?<![>:])\$\w+(?:\[[^\]\n]{0,80}\])?\s*\(|\)\s*\(|" + b"|".join(name.encode() for name in CALLED_BACK)
)
_RUBY = (
    rb"\b(?:system|exec|spawn\w*|popen\w*|capture[23]e?|fork|eval|instance_eval|class_eval|socket|TCP\w+|UDPSocket|UNIXSocket"
    rb"|Net::HTTP|URI\.open|open-uri|FileUtils|copy\w*(?=\s*[(\$'\"])|rename|unlink|utime|chmod|Process|kill|SQLite\w*|sqlite3"
    rb"|File\.(?:delete|truncate)|PG|Mysql2|decode64|unpack1?|dlopen|load)\b|`|%x|\|\s*(?:ba)?sh\b"
)
_LUA = (
    rb"\b(?:os\.remove|execute|popen\w*|exec\w*|spawn\w*|fork|loadstring|load|loadfile|dofile|socket|luasql|sqlite3?|rename|unlink|chmod"
    rb"|kill|posix|unbase64|b64\w*|\w*base64\w*)\b"
)
_WORDS: dict[Language, bytes] = {"python": _PYTHON, "perl": _PERL, "php": _PHP, "ruby": _RUBY, "lua": _LUA}
_ACTS = {language: re.compile(words + b"|" + _ANY) for language, words in _WORDS.items()}


def acts(language: Language, data: bytes) -> bool:
    """Tell whether a program could start another, reach files or other machines: the rest is not parsed."""
    text = data.lower() if language == "php" else data
    return _ACTS[language].search(text) is not None or (language == "php" and _calls_by_request(text))


def _calls_by_request(text: bytes) -> bool:
    """Whether PHP calls a function by a name that it makes up, and hears what a web client says."""
    return _REQUEST.search(text) is not None and _CALL_OF_VARIABLE.search(text) is not None


def acts_in_code(language: Language, data: bytes, tree: Tree) -> bool:
    """As `acts`, of what is no comment."""
    code, at = bytearray(), 0
    for start, end in comments(language, tree):
        code += data[at:start]
        code += b" "
        at = end
    return acts(language, bytes(code + data[at:]))
