"""Shell text whose statements stand on the line numbers of the statements they come from."""

from __future__ import annotations

MAX_TEXT = 1 << 20
_OPENERS = ("do", "then", "else", "{", "&")


class Lines:
    """Takes statements in order and writes each on its line, or behind the one before where that line is past."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._line = 1
        self._size = 0

    def put(self, line: int, text: str) -> None:
        """Write one statement, or a part of one such as `while …; do`. It holds no line break."""
        if self._size > MAX_TEXT:
            return
        text = text.replace("\n", " ")
        if line > self._line:
            text = "\n" * (line - self._line) + text
            self._line = line
        elif self._parts:
            text = (" " if self._parts[-1].endswith(_OPENERS) else "; ") + text
        self._parts.append(text)
        self._size += len(text)

    @property
    def full(self) -> bool:
        """Whether no more is taken."""
        return self._size > MAX_TEXT

    @property
    def text(self) -> str:
        """What was written."""
        return "".join(self._parts) + "\n"
