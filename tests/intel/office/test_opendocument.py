"""OpenDocument: blanks, line ends, rows, lists and links."""

from __future__ import annotations

from collections.abc import Callable


def test_what_parts_words_is_kept(read: Callable[[dict[str, str]], str]) -> None:
    body = (
        "<x:h x:outline-level='1'>調査</x:h><x:p>C2:<x:s x:c='2'/>a[.]example<x:line-break/>b[.]example<x:note>"
        "<x:p>below</x:p></x:note> end</x:p><x:list-item><x:p>item</x:p></x:list-item>"
        "<x:table-row><x:table-cell><x:p>MD5</x:p></x:table-cell><x:table-cell><x:p>v</x:p></x:table-cell></x:table-row>"
        "<x:p><x:a x:href='http://kaze.example/c'>here</x:a>.</x:p>"
    )
    text = read({"content.xml": f"<x:d xmlns:x='x'>{body}</x:d>"})
    lines = [line for line in text.split("\n") if line]
    assert lines == [
        "# 調査", "C2:  a[.]example", "b[.]example end", "below", "- item", "| MD5 | v |", "here.", "## Links",
        "- here: http://kaze.example/c",
    ]  # fmt: skip
