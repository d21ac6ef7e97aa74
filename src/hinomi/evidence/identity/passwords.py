"""What a password field says about the password: its state and the hash method, never the hash itself."""

from __future__ import annotations

import re

_METHODS = {
    "1": "md5", "2": "bcrypt", "2a": "bcrypt", "2b": "bcrypt", "2x": "bcrypt", "2y": "bcrypt", "3": "nt",
    "5": "sha256", "6": "sha512", "7": "scrypt", "y": "yescrypt", "gy": "gost-yescrypt", "sha1": "sha1",
    "argon2i": "argon2", "argon2id": "argon2", "argon2d": "argon2", "pbkdf2": "pbkdf2", "8": "pbkdf2", "9": "scrypt",
    "sm3": "sm3", "md5": "sun-md5",
}  # fmt: skip
_DES = re.compile(r"[./0-9A-Za-z]{13}$")
_BSDI = re.compile(r"_[./0-9A-Za-z]{19}$")
_PREFIXED = re.compile(r"\$([A-Za-z0-9-]{1,12})[$,]")


def hash_method(field: str) -> str | None:
    """Return the method of a crypt(5) hash (also one locked with `!` in front), None where the field holds no hash."""
    text = field.lstrip("!*")
    match = _PREFIXED.match(text)
    if match:
        return _METHODS.get(match.group(1).lower(), "unknown")
    if text.startswith("{") and "}" in text:  # LDAP style: {SSHA}...
        return text[1 : text.index("}")].lower()[:20] or None
    if _DES.match(text):
        return "des"
    return "bsdi-des" if _BSDI.match(text) else None


def password_state(field: str) -> str:
    """Return empty, locked or hashed for a shadow field (or a passwd field that holds the password itself)."""
    if field == "":
        return "empty"
    if field[0] in "!*" or hash_method(field) is None:
        return "locked"  # text that no method can produce lets nobody in
    return "hashed"
