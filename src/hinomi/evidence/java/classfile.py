"""The constant pool of a class file, which survives shading, renaming and relocation. Format: JVMS §4."""

from __future__ import annotations

from dataclasses import dataclass

from hinomi.model.errors import ParseError

MAGIC = b"\xca\xfe\xba\xbe"
_CLASS = 7
_UTF8 = 1
_NAMES = 6  # bytes behind the pool: access flags, the class, its parent
_SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}


class CutError(ParseError):
    """A class that ends before its pool does."""


@dataclass(frozen=True, slots=True)
class ClassFile:
    """A class by its pool: every Utf8 entry, every class it names, and its own name (`a/b/C`).

    `end` is where the pool and the class's own name end: nothing behind it decides anything.
    """

    utf8: frozenset[bytes]
    classes: frozenset[bytes]
    name: bytes | None
    superclass: bytes | None
    end: int = 0

    def has(self, *texts: bytes) -> bool:
        """Whether every text is a whole Utf8 entry."""
        return self.utf8.issuperset(texts)

    def mentions(self, part: bytes) -> bool:
        """Whether any Utf8 entry contains `part`."""
        return any(part in text for text in self.utf8)


def parse_class(data: bytes) -> ClassFile:
    """Read the constant pool of a class file; `ParseError` where it is none or its pool is cut."""
    if data[:4] != MAGIC or len(data) < 10:
        raise ParseError("java.not-a-class", cause="no class file")
    count = int.from_bytes(data[8:10], "big")
    texts: dict[int, bytes] = {}
    references: dict[int, int] = {}
    position, index = 10, 1
    while index < count:
        if position >= len(data):
            raise CutError("java.constant-pool", cause="constant pool is cut")
        tag = data[position]
        start = position + 1
        if tag == _UTF8:
            length = int.from_bytes(data[start : start + 2], "big")
            texts[index] = data[start + 2 : start + 2 + length]
            position = start + 2 + length
        elif tag in _SIZES:
            if tag == _CLASS:
                references[index] = int.from_bytes(data[start : start + 2], "big")
            position = start + _SIZES[tag]
        else:
            raise ParseError("java.constant-pool", cause=f"unknown constant {tag} at {position}")
        index += 2 if tag in (5, 6) else 1
    if position > len(data):
        raise CutError("java.constant-pool", cause="constant pool is cut")
    named = {number: texts[target] for number, target in references.items() if target in texts}
    own, parent = (named.get(int.from_bytes(data[position + n : position + n + 2], "big")) for n in (2, 4))
    return ClassFile(frozenset(texts.values()), frozenset(named.values()), own, parent, position + _NAMES)


def is_enough(data: bytes) -> bool:
    """Whether what there is of a class is all that decides: its pool and its name, or a fault before them."""
    try:
        return parse_class(data).end <= len(data)
    except CutError:
        return False
    except ParseError:
        return True
