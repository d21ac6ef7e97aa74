"""CSAF 2.0 advisories: weaknesses, and which product versions they affect or which fix them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from hinomi.intel.composing import Composer
from hinomi.intel.format import DAMAGE, Statements, damaged, document
from hinomi.intel.jsontree import Tree, day, looks_like_json, parsed, tree, trees, word, words
from hinomi.intel.normal import clean
from hinomi.intel.vocabulary.products import find_products, product_name
from hinomi.model.claims import ClaimRole, ClaimType, Document

_KIND = "a CSAF advisory"
_MAX_DEPTH = 40
_BOUND = re.compile(r"\s*(>=|<=|<|>|=)?\s*v?(\d[\w.+:~-]{0,80})\s*")
_AFFECTED = ("known_affected", "first_affected", "last_affected")
_FIXED = ("first_fixed", "fixed")


class _Product(NamedTuple):
    """A product of the tree: name, and the version or range (`>=1.0|<1.5`) its branch gives."""

    name: str
    version: str = ""


class _Csaf:
    name = "csaf"
    media_types = ("application/json",)

    def sniff(self, data: bytes) -> int:
        if not looks_like_json(data) or b'"csaf_version"' not in data:
            return 0
        return 88 if tree(tree(parsed(data)).get("document")).get("csaf_version") else 0

    def extract(self, data: bytes, source: str) -> Document:
        return self.read(data, source)[0]

    def read(self, data: bytes, source: str) -> tuple[Document, Statements]:
        root = tree(parsed(data))
        head, composer = tree(root.get("document")), Composer()
        title = clean(word(head.get("title")), 300)
        tracking = tree(head.get("tracking"))
        try:
            composer.heading(title)
            composer.note("id", word(tracking.get("id")))
            _notes(composer, head)
            products = dict(_products(tree(root.get("product_tree"))))
            for weakness in trees(root.get("vulnerabilities", [])):
                _weakness(composer, weakness, products)
        except DAMAGE as error:
            raise damaged(source, _KIND, error) from error
        stated = composer.statements()
        published = day(tracking.get("initial_release_date") or tracking.get("current_release_date"))
        return document(
            data, source, composer.text, media_type="application/json", encoding="utf-8", title=title or None,
            published=published, notes=tuple(composer.notes),
        ), stated  # fmt: skip


def _notes(composer: Composer, item: Tree) -> None:
    for note in trees(item.get("notes", [])):
        if word(note.get("category")) not in ("legal_disclaimer", "other"):
            composer.prose("", word(note.get("text")))


def _products(root: Tree) -> Iterator[tuple[str, _Product]]:
    """Yield (product id, product) of the tree's branches, names and relationships."""
    for item in trees(root.get("full_product_names", [])):
        yield word(item.get("product_id")), _Product(word(item.get("name")))
    found = dict(_branches(root))
    yield from found.items()
    for item in trees(root.get("relationships", [])):
        full = tree(item.get("full_product_name"))
        part = found.get(word(item.get("product_reference")))
        yield word(full.get("product_id")), part or _Product(word(full.get("name")))


def _branches(root: Tree) -> Iterator[tuple[str, _Product]]:
    stack: list[tuple[Tree, str, str, int]] = [(b, "", "", 0) for b in trees(root.get("branches", []))]
    while stack:
        branch, name, version, depth = stack.pop()
        category = word(branch.get("category"))
        if category == "product_name":
            name = word(branch.get("name"))
        elif category in ("product_version", "product_version_range"):
            version = word(branch.get("name"))
        product = tree(branch.get("product"))
        if product:
            yield word(product.get("product_id")), _Product(name or word(product.get("name")), version)
        if depth < _MAX_DEPTH:
            stack += [(inner, name, version, depth + 1) for inner in trees(branch.get("branches", []))]


def _weakness(composer: Composer, item: Tree, products: dict[str, _Product]) -> None:
    cve = composer.indicator(
        "CVE", "cve", word(item.get("cve")), "mentioned", why="the advisory's weakness", confidence=95
    )
    composer.note("title", word(item.get("title")))
    _notes(composer, item)
    status = tree(item.get("product_status"))
    for key in _AFFECTED:
        for product in _listed(status, key, products):
            said = composer.claim(
                key,
                "product",
                product.name,
                "affected",
                why="affected by the advisory",
                canonical=_canonical(product.name),
            )
            if said and cve:
                composer.link(cve, "affects", said, 90)
            _version(composer, key, "affected-version", product)
    for key in _FIXED:
        for product in _listed(status, key, products):
            _version(composer, key, "fixed-version", product)
    for remedy in trees(item.get("remediations", [])):
        if word(remedy.get("category")) in ("mitigation", "vendor_fix", "workaround"):
            composer.claim("mitigation", "mitigation", word(remedy.get("details")), why="a remedy of the advisory")


def _listed(status: Tree, key: str, products: dict[str, _Product]) -> Iterator[_Product]:
    for number in words(status.get(key, [])):
        product = products.get(number)
        if product and product.name.strip():
            yield product


def _version(composer: Composer, label: str, kind: ClaimType, product: _Product) -> None:
    bounds = _bounds(product.version)
    if not bounds:
        return
    name = _canonical(product.name)
    role: ClaimRole = "fixed" if kind == "fixed-version" else "affected"
    attributes: dict[str, Any] = {"product": name, "operator": bounds[-1][0]}
    value = " ".join(f"{sign if sign != '=' else ''}{number}" for sign, number in bounds)
    if kind == "fixed-version":
        attributes["operator"], value = ">=", bounds[0][1]
    elif len(bounds) == 2:
        attributes["from"] = bounds[0][1]
    composer.claim(
        f"{label}: {clean(product.name, 120)}", kind, value, role, why="a version of the advisory", confidence=95,
        attributes=attributes, distinct=f"{name}|",
    )  # fmt: skip


def _bounds(version: str) -> list[tuple[str, str]]:
    """Return the bounds of `1.2`, `<1.5`, `vers:generic/>=1.0|<1.5`; nothing for what is no version."""
    plain = version.rpartition("/")[2] if version.startswith("vers:") else version
    found = [_BOUND.fullmatch(part) for part in re.split(r"[|,]", plain)[:2]]
    return [(m[1] or "=", m[2]) for m in found if m]


def _canonical(name: str) -> str:
    """Return the name the product index knows this product by, where it fills the name."""
    shown = clean(name, 300)
    if (known := product_name(shown)) != shown:
        return known
    hits = [hit for hit in find_products(shown) if (hit.end - hit.start) * 2 > len(shown)]
    return hits[0].canonical if hits else shown


FORMAT: Any = _Csaf()
