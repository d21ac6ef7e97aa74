"""Products and named vulnerabilities: the same index as for names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from hinomi.intel.vocabulary.loading import read_yaml
from hinomi.intel.vocabulary.names import Form, Name, NameIndex
from hinomi.intel.vocabulary.words import TextWords

# Everyday words: products only when written exactly so and with a version or weakness beside them.
_LOOSE = frozenset(
    {"php", "redis", "sudo", "docker", "jenkins", "buffalo", "dahua", "npm", "vcenter", "httpd", "firebox"}
)
_MAJOR = re.compile(r"[ -]?[vV]?\d{1,2}(?:\.x)?(?: ?系| ?series| ?シリーズ)?$")
"""A major version as a part of the name; years and model numbers are longer."""


@dataclass(frozen=True, slots=True)
class ProductHit:
    """A product named at `start:end`."""

    start: int
    end: int
    canonical: str
    loose: bool


@cache
def product_index() -> NameIndex:
    """Return the index over product names."""
    table: dict[str, list[str]] = read_yaml("products.yml")
    return NameIndex(
        [
            Form(Name("tool", product), form, form.lower() in _LOOSE)
            for product, forms in table.items()
            for form in (product, *forms)
        ]
    )


@lru_cache(maxsize=4096)
def product_name(name: str) -> str:
    """Return the name that the vocabulary knows a product by; `name` itself where it knows none.

    The maker may stand before it in any form or not at all, and a major version behind it: `Log4j 2`,
    `Apache Software Foundation Log4j` and `log4j-core` are one product.
    """
    plain = " ".join(name.split())
    for form in (plain, _MAJOR.sub("", plain)):
        for written in (form, *_makers(form)):
            if found := product_index().lookup(written):
                return found[0].name.canonical
    return name


def _makers(name: str) -> Iterator[str]:
    """Yield a name with its maker's short name before it, then without."""
    folded = name.casefold()
    for maker, short in _vendors():
        if folded.startswith(maker) and (rest := name[len(maker) :]) != (bare := rest.lstrip(" のー:・")):
            yield f"{short} {bare}"
            yield bare


@cache
def _vendors() -> tuple[tuple[str, str], ...]:
    """Return (form in small letters, short name), the longest forms first."""
    table: dict[str, list[str]] = read_yaml("vendors.yml")
    forms = [(form.casefold(), short) for short, others in table.items() for form in (short, *others)]
    return tuple(sorted(forms, key=lambda form: (-len(form[0]), form)))


@cache
def vulnerability_index() -> tuple[NameIndex, dict[str, list[str]]]:
    """Return the index over named vulnerabilities, and each name's CVE ids."""
    table: dict[str, list[str]] = read_yaml("vulnerabilities.yml")
    return NameIndex([Form(Name("tool", name), name, False) for name in table]), table


def find_products(text: str, words: TextWords | None = None) -> Iterator[ProductHit]:
    """Yield the products named in `text`; a trailing digit that begins a version is not part of the name."""
    index = product_index()
    for hit in index.find(text, words):
        end, forms = hit.end, hit.forms
        if re.match(r"\.\d", text[end : end + 2]) and text[end - 1].isdigit():
            shorter = re.sub(r"[ \-]?\d+$", "", text[hit.start : end])
            forms = index.lookup(shorter)
            end = hit.start + len(shorter)
        if not forms or text[hit.start - 1 : hit.start] in {"/", "\\", ".", "@", "_"}:
            continue
        if not text[hit.start].islower() or any(form.text[0].islower() for form in forms):
            yield ProductHit(hit.start, end, forms[0].name.canonical, forms[0].ordinary)
