"""Which small texts may be kept for later diffs: never what holds a secret, decided by mode and content."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cache

MAX_LINE = 4096
MIN_TOKEN = 24
# Programs' own trees, from / and from within /usr: not what anybody edits, and a hundred thousand texts to search.
_LEFT_OUT = (b"/usr/share/", b"/usr/include/", b"/usr/src/", b"/usr/lib/", b"/usr/libexec/", b"/var/", b"/home/",
             b"/root/", b"/tmp/", b"/run/", b"/proc/", b"/sys/", b"/share/", b"/include/", b"/src/", b"/lib/",
             b"/libexec/")  # fmt: skip
_SECRET = re.compile(
    rb"PRIVATE KEY-----|BEGIN PGP|PuTTY-User-Key|"
    rb"\$(?:1|2[abxy]?|5|6|7|y|gy|sha1|md5|apr1|argon2\w*|scrypt|pbkdf2[\w-]*)\$|\{(?:SSHA|SHA|MD5|CRYPT)\d*\}|"
    rb"(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_\w{20}|glpat-|xox[abprs]-|eyJ[\w-]{10,}\.|AIza[\w-]{20}|"
    rb"://[^/\s:@]{1,80}:[^/\s@]{1,80}@|SQLite format 3|"
    rb"(?i:(?:pass(?:word|wd|phrase)?|pwd|secret|token|credential|api[_-]?key|auth[_-]?key|access[_-]?key|"
    rb"private[_-]?key|psk|community|bindpw|shared[_-]?key)s?[\"']?[ \t]*(?:[:=]|[ \t])[ \t]*[\"']?[^\s\"'#;]{4,})"
)
_TOKEN = re.compile(rb"[A-Za-z0-9+/_=-]{%d,}" % MIN_TOKEN)
_HASHED_LINE = re.compile(rb"(?m)^[^\s:#]{1,64}:[A-Za-z0-9./]{13}(?::|$)")  # DES crypt, as in old shadow and htpasswd


def may_keep(path: bytes, mode: int, content: bytes) -> bool:
    """Whether a text's content may stand in a baseline: readable by everybody, plain text, and without a secret.

    Wrong in one direction only: a harmless file may be taken for a secret one.
    """
    if not mode & 0o004 or path.startswith(_LEFT_OUT) or b"\0" in content:
        return False
    if not _is_text(content) or _SECRET.search(content) or _HASHED_LINE.search(content):
        return False
    return not any(_looks_random(found[0]) for found in _TOKEN.finditer(content))


def _is_text(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return max(map(len, content.split(b"\n")), default=0) <= MAX_LINE


@cache
def _looks_random(token: bytes) -> bool:
    """Whether a word looks drawn by lot: letters of both cases and digits, or many different ones, without words."""
    if token.strip(b"=-_+/") == b"":
        return False
    counted = Counter(token)
    bits = -sum(n / len(token) * math.log2(n / len(token)) for n in counted.values())
    classes = sum(any(low <= c <= high for c in token) for low, high in ((48, 57), (65, 90), (97, 122)))
    return bits > 3.4 and (classes == 3 or (classes == 2 and any(48 <= c <= 57 for c in token) and bits > 3.2))
