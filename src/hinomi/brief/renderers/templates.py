"""Jinja templates for people: HTML (everything escaped) and Markdown (everything from outside made plain)."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hinomi.brief.document import DigestDocument, Document, ScanDocument, VerdictDocument
from hinomi.locale.catalogue import text
from hinomi.model.text import Language, printable

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent.parent / "templates"
_MARKDOWN_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>#|~"} | {"\n": " "})


def fill(template: str, language: Language, **values: Any) -> str:
    """Return a template (`*.html.j2` or `*.md.j2`) with its values and `t(key)` for catalogue texts."""

    def say(key: str, **inner: Any) -> str:
        return text(key, language, **inner)

    return _environment(template.endswith(".html.j2")).get_template(template).render(t=say, language=language, **values)


def page(document: Document, ending: str, language: Language) -> str:
    """Return the document through its template: `scan`, `verdict` or `digest`, with the ending `md` or `html`."""
    kinds = {ScanDocument: "scan", VerdictDocument: "verdict", DigestDocument: "digest"}
    return fill(f"{kinds[type(document)]}.{ending}.j2", language, document=document)


@cache
def _environment(html: bool) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # In Markdown every value passes through `plain`; autoescape would print HTML entities there.
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=html, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["plain"] = _plain
    environment.filters["shown"] = printable
    environment.filters["told"] = partial(printable, keep_newlines=True)
    return environment


def _plain(value: object) -> str:
    """Text from outside that cannot become markup, on one line."""
    return printable(str(value), keep_newlines=True).translate(_MARKDOWN_SPECIAL)
