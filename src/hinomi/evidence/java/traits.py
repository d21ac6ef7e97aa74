"""Which of Log4j's decisive classes a class is, by what its constant pool holds; names are never asked.

Source of the markers: the constant pools of the released log4j-core jars (2.0-beta9 to 2.19) compared with each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hinomi.evidence.java.classfile import ClassFile

Role = Literal["lookup", "manager", "guard", "log4j1", "jms1", "reload4j"]
Band = Literal["jdbc", "lookup", "enabled", "hosts", "open", "beta", "disabled"]
"""How far the JNDI fixes had come: see `bands.py`."""

# A class is parsed only when its raw bytes hold one of these. Long words: a search skips by the word's length.
WORDS = (
    b"java.naming.factory.initial", b"java:comp/env/", b"log4j2.enableJndi", b"JNDI is not supported",
    b"isJndiJdbcEnabled", b"initialize the log4j system properly", b"JNDI name must start with java:",
)  # fmt: skip
_MANAGER_WORDS = (b"java.naming.factory.initial", b"java.naming.provider.url", b"lookup")
_PREFIX = b"java:comp/env/"


@dataclass(frozen=True, slots=True)
class Trait:
    """What a class is. `certain` is false for a manager that might belong to another library."""

    role: Role
    band: Band
    certain: bool = True
    reason: str = ""


def may_matter(data: bytes) -> bool:
    """Whether a class's raw bytes are worth parsing."""
    return any(word in data for word in WORDS)


def trait_of(cls: ClassFile) -> Trait | None:
    """Return what a class is; None for every class that does not decide anything."""
    if cls.has(*_MANAGER_WORDS) and not cls.mentions(b"javax/jms/"):
        return _manager(cls)
    if _is_lookup(cls):
        return _lookup(cls)
    if cls.has(*_MANAGER_WORDS[:2]) and cls.has(b"TopicConnectionFactoryBindingName") and cls.has(b"ProviderURL"):
        return Trait("jms1", "open", reason="JMSAppender")
    if cls.has(b"Please initialize the log4j system properly.") and not cls.mentions(b"org/apache/logging/"):
        return Trait("log4j1", "open", reason="Hierarchy with its 'Please initialize the log4j system properly.'")
    if cls.mentions(b"JNDI name must start with java:"):
        return Trait("reload4j", "open")
    if cls.has(b"isJndiJdbcEnabled") or cls.mentions(b"log4j2.enableJndiJdbc"):
        return Trait("guard", "jdbc", reason="asks for log4j2.enableJndiJdbc")
    return None


def _manager(cls: ClassFile) -> Trait:
    for band, marks in _MANAGER_MARKS:
        for mark in marks:
            if cls.has(*mark):
                certain = band != "hosts" or _is_log4j(cls)
                return Trait("manager", band, certain, " + ".join(m.decode() for m in mark))
    return Trait("manager", "open", _is_log4j(cls), "no fix marker")


_MANAGER_MARKS: tuple[tuple[Band, tuple[tuple[bytes, ...], ...]], ...] = (
    # Method names first; after them the strings that stay when an obfuscator renames the methods.
    ("jdbc", ((b"isJndiJdbcEnabled",), (b"log4j2.enableJndi", b"Jdbc"), (b"log4j2.enableJndiJdbc",))),
    ("lookup", ((b"isJndiLookupEnabled",), (b"log4j2.enableJndi", b"Lookup"), (b"log4j2.enableJndiLookup",))),
    ("enabled", ((b"isJndiEnabled",), (b"log4j2.enableJndi",))),
    ("hosts", ((b"allowedHosts",), (b"Attempt to access ldap server not in allowed list",))),
)


def _is_log4j(cls: ClassFile) -> bool:
    """Tell Log4j's manager from other libraries' holders of a JNDI context (Quartz, Hibernate, ... have such)."""
    message = cls.mentions(b"JNDI InitialContextFactory class name [{}]")
    methods = cls.has(b"getDefaultManager") and (cls.has(b"releaseSub") or cls.has(b"getJndiManager"))
    return message or methods or cls.mentions(b"logging/log4j/core/")


def _is_lookup(cls: ClassFile) -> bool:
    if cls.has(b"Lookup", b"category") and (cls.has(_PREFIX, b"convertJndiName") or _says_disabled(cls)):
        return True
    asks_names = any(text.startswith(b"javax/naming/") for text in cls.utf8)
    if not cls.has(_PREFIX) or not asks_names:
        return False
    annotated = cls.has(b"jndi", b"Lookup")  # method names gone, the plugin annotation kept
    told = cls.mentions(b"Error looking up JNDI resource [") or cls.mentions(b"logging/log4j/core/LogEvent")
    return annotated or (told and not cls.has(b"resourceRef"))


def _says_disabled(cls: ClassFile) -> bool:
    return cls.mentions(b"Attempt to use JNDI Lookup") and cls.mentions(b"JNDI is not supported")


def _lookup(cls: ClassFile) -> Trait:
    if _says_disabled(cls):
        return Trait("lookup", "disabled", reason="JNDI is not supported")
    if cls.has(b"isJndiLookupEnabled") or cls.mentions(b"log4j2.enableJndiLookup"):
        return Trait("lookup", "lookup", reason="isJndiLookupEnabled")
    if cls.has(b"javax/naming/InitialContext"):
        return Trait("lookup", "beta", reason="asks InitialContext itself")
    return Trait("lookup", "open", reason="java:comp/env/ + convertJndiName")
