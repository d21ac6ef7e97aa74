"""STIX 2.0 and 2.1 bundles: indicators, observables, names, weaknesses, techniques and the relations between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hinomi.intel.composing import Composer
from hinomi.intel.exchange import extension
from hinomi.intel.format import DAMAGE, Origin, Said, Statements, damaged, document
from hinomi.intel.jsontree import Tree, day, looks_like_json, parsed, tree, trees, word, words
from hinomi.intel.normal import clean
from hinomi.intel.stixpattern import compared, hash_type, path_type
from hinomi.model.claims import ClaimRole, ClaimType, Document

_NAMED: dict[str, ClaimType] = {
    "malware": "malware", "tool": "tool", "intrusion-set": "actor", "threat-actor": "actor", "campaign": "campaign",
}  # fmt: skip
_PHASES: dict[str, ClaimRole] = {
    "command-and-control": "command-and-control", "delivery": "delivery", "initial-access": "delivery",
}  # fmt: skip
_QUIET = frozenset({"benign", "anonymization", "unknown"})
_MORE_NAMES = 20


class _Stix:
    name = "stix"
    media_types = ("application/stix+json", "application/taxii+json", "application/vnd.oasis.stix+json")

    def sniff(self, data: bytes) -> int:
        if not looks_like_json(data) or b'"type"' not in data or b"--" not in data:
            return 0
        return 85 if _objects(parsed(data)) is not None else 0

    def extract(self, data: bytes, source: str) -> Document:
        return self.read(data, source)[0]

    def read(self, data: bytes, source: str) -> tuple[Document, Statements]:
        objects = _objects(parsed(data))
        if objects is None:
            raise damaged(source, "a STIX bundle", ValueError("no STIX objects"))
        reader = _Reader([o for o in objects if o.get("revoked") is not True])
        try:
            reader.compose()
        except DAMAGE as error:
            raise damaged(source, "a STIX bundle", error) from error
        stated = reader.composer.statements()
        made = document(
            data, source, reader.composer.text, media_type="application/stix+json", encoding="utf-8",
            title=reader.title, published=reader.published, notes=tuple(reader.composer.notes),
        )  # fmt: skip
        return made, replace(stated, origin=reader.origin)


def _objects(root: Any) -> list[Tree] | None:
    """Return the objects of a bundle, of a TAXII envelope or of a bare list; None where it is none of these."""
    if isinstance(root, dict) and root.get("type") == "bundle" and "objects" in root:
        return list(trees(root["objects"]))
    found = list(trees(root.get("objects", []) if isinstance(root, dict) else root))
    named = all(word(item.get("type")) and word(item.get("id")).startswith(f"{item['type']}--") for item in found)
    return found if found and named else None


class _Reader:
    """Walks the objects of one bundle in their order."""

    def __init__(self, objects: list[Tree]) -> None:
        self.composer = Composer()
        self.objects = objects
        self.title: str | None = None
        self.published: str | None = None
        self.origin: Origin | None = None
        self._said: dict[str, Said] = {}
        self._done: set[str] = set()

    def compose(self) -> None:
        """Compose reports first, then what they do not state themselves, then relations."""
        reports = [o for o in self.objects if o.get("type") in ("report", "grouping")]
        self.origin = extension.origin(reports[0].get("extensions")) if len(reports) == 1 else None
        for item in reports:
            self._report(item)
        if not reports:
            self.composer.heading("STIX")
        self._done |= {extension.EXTENSION, extension.AUTHOR}
        for item in self.objects:
            made = self._object(item) if word(item.get("id")) not in self._done else None
            if made is not None:
                self._said[word(item.get("id"))] = made
        for item in self.objects:
            if item.get("type") == "relationship" and word(item.get("id")) not in self._done:
                self._relationship(item)

    def _report(self, item: Tree) -> None:
        name = clean(word(item.get("name")), 300) or "STIX"
        self.title = self.title or name
        self.published = self.published or day(item.get("published"))
        self.composer.heading(name)
        self.composer.prose("", word(item.get("description")))
        if extension.read(self.composer, item.get("extensions")):
            self._done |= set(words(item.get("object_refs", [])))
        self._done.add(word(item.get("id")))

    def _object(self, item: Tree) -> Said | None:
        kind = word(item.get("type"))
        if kind == "indicator":
            return self._indicator(item)
        if kind in _NAMED:
            return self._named(item, _NAMED[kind])
        if maker := _MAKERS.get(kind):
            return maker(self.composer, item)
        if kind == "observed-data":
            for inner in tree(item.get("objects")).values():
                self._observable(tree(inner))
            return None
        return self._observable(item)

    def _indicator(self, item: Tree) -> Said | None:
        if word(item.get("pattern_type")) not in ("", "stix"):
            self.composer.note(word(item.get("pattern_type")), word(item.get("name")))
            return None
        self.composer.note("indicator", word(item.get("name")))
        role = _role(item)
        first = None
        for found in compared(word(item.get("pattern"))):
            said = self.composer.indicator(
                found.path.partition(":")[0], found.type, found.value, role, why="a pattern of the bundle",
                confidence=_confidence(item),
            )  # fmt: skip
            first = first or said
        self.composer.prose("", word(item.get("description")))
        return first

    def _named(self, item: Tree, kind: ClaimType) -> Said | None:
        name = word(item.get("name"))
        said = self.composer.claim(
            word(item.get("type")), kind, name, why="an object of the bundle", confidence=_confidence(item)
        )
        aliases = words(item.get("aliases", []))[:_MORE_NAMES]
        for alias in aliases:
            if clean(alias) != clean(name):
                self.composer.claim(
                    "alias", kind, alias, why="an alias in the bundle", confidence=_confidence(item),
                    canonical=clean(name) or None,
                )  # fmt: skip
        self.composer.prose("", word(item.get("description")))
        return said

    def _observable(self, item: Tree) -> Said | None:
        kind = word(item.get("type"))
        first: Said | None = None
        for key in ("value", "name", "key", "account_login", "number"):
            type_ = path_type(f"{kind}:{key}")
            if type_ is None or not word(item.get(key)):
                continue
            wanted = None if type_ == "any" else type_
            said = self.composer.indicator(kind, wanted, word(item[key]), "mentioned", why="an observed object")
            first = first or said
        for algorithm, value in tree(item.get("hashes")).items():
            if wanted := hash_type(str(algorithm)):
                said = self.composer.indicator(algorithm, wanted, word(value), "mentioned", why="an observed object")
                first = first or said
        if kind in ("note", "opinion"):
            self.composer.prose("", word(item.get("content") or item.get("explanation")))
        return first

    def _relationship(self, item: Tree) -> None:
        source, target = self._said.get(word(item.get("source_ref"))), self._said.get(word(item.get("target_ref")))
        if source and target:
            self.composer.link(source, clean(word(item.get("relationship_type")), 40), target, _confidence(item, 70))


def _role(item: Tree) -> ClaimRole:
    kinds = {*words(item.get("indicator_types", [])), *words(item.get("labels", []))}
    if "benign" in kinds:
        return "benign"
    for phase in trees(item.get("kill_chain_phases", [])):
        if role := _PHASES.get(word(phase.get("phase_name"))):
            return role
    return "mentioned" if kinds and kinds <= _QUIET else "malicious"


def _confidence(item: Tree, default: int = 85) -> int:
    value = item.get("confidence")
    return max(0, min(100, value)) if isinstance(value, int) and not isinstance(value, bool) else default


def _external(item: Tree, *sources: str) -> str:
    for reference in trees(item.get("external_references", [])):
        if word(reference.get("source_name")).lower() in sources:
            return word(reference.get("external_id"))
    return ""


def _vulnerability(composer: Composer, item: Tree) -> Said | None:
    said = composer.indicator(
        "vulnerability", "cve", _external(item, "cve") or word(item.get("name")), "mentioned", why="a vulnerability"
    )
    composer.prose("", word(item.get("description")))
    return said


def _attack_pattern(composer: Composer, item: Tree) -> Said | None:
    number = _external(item, "mitre-attack", "mitre-mobile-attack", "mitre-ics-attack")
    said = composer.indicator("technique", "attack-technique", number, "mentioned", why="an attack pattern")
    if said is None:
        composer.note("technique", word(item.get("name")))
    composer.prose("", word(item.get("description")))
    return said


def _course(composer: Composer, item: Tree) -> Said | None:
    step = word(item.get("description")) or word(item.get("name"))
    return composer.claim("mitigation", "mitigation", step, why="a course of action")


def _identity(composer: Composer, item: Tree) -> Said | None:
    said = None
    names = words(item.get("sectors", []))
    if item.get("identity_class") == "class" and not names:
        names = words(item.get("name"))
    for name in names:
        said = composer.claim("sector", "sector", name, why="an identity of the bundle")
    return said


def _location(composer: Composer, item: Tree) -> Said | None:
    code = word(item.get("country")).upper()
    name = word(item.get("name")) or code
    if len(code) != 2:
        return None
    return composer.claim("country", "country", name, why="a location of the bundle", attributes={"code": code})


def _software(composer: Composer, item: Tree) -> Said | None:
    return composer.claim("software", "product", word(item.get("name")), why="a software object")


_MAKERS: dict[str, Callable[[Composer, Tree], Said | None]] = {
    "vulnerability": _vulnerability, "attack-pattern": _attack_pattern, "course-of-action": _course,
    "identity": _identity, "location": _location, "software": _software,
}  # fmt: skip
FORMAT: Any = _Stix()
