"""MISP events: attributes, objects, tags and galaxies, with `to_ids` and the category as their role."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from hinomi.intel.composing import Composer
from hinomi.intel.exchange import extension
from hinomi.intel.format import DAMAGE, Statements, damaged, document
from hinomi.intel.indicators.roles import said
from hinomi.intel.jsontree import Tree, day, looks_like_json, parsed, tree, trees, word, words
from hinomi.intel.mispwords import COMPOUND, GALAXIES, PROSE, TECHNIQUES, TYPES
from hinomi.intel.normal import clean
from hinomi.intel.vocabulary.techniques import technique_names
from hinomi.model.claims import ClaimRole, Document

_TAG = re.compile(r'misp-galaxy:([a-z0-9-]{1,60})="([^"]{1,200})"')
_NUMBER = re.compile(r"\bT\d{4}(?:\.\d{3})?\b")
_DELIVERY = frozenset({"Payload delivery", "Payload installation"})


class _Misp:
    name = "misp"
    media_types = ("application/json",)

    def sniff(self, data: bytes) -> int:
        if not looks_like_json(data) or not (b'"Attribute"' in data or b'"Object"' in data):
            return 0
        return 80 if _events(parsed(data)) else 0

    def extract(self, data: bytes, source: str) -> Document:
        return self.read(data, source)[0]

    def read(self, data: bytes, source: str) -> tuple[Document, Statements]:
        events = _events(parsed(data))
        if not events:
            raise damaged(source, "a MISP event", ValueError("no Event in it"))
        composer = Composer()
        try:
            for event in events:
                _event(composer, event)
        except DAMAGE as error:
            raise damaged(source, "a MISP event", error) from error
        stated = composer.statements()
        made = document(
            data, source, composer.text, media_type="application/json", encoding="utf-8",
            title=clean(word(events[0].get("info")), 300) or PurePosixPath(source).name or None,
            published=day(events[0].get("date")), notes=tuple(composer.notes),
        )  # fmt: skip
        return made, stated


def _events(root: Any) -> list[Tree]:
    """Return the events: `{"Event": …}`, `{"response": [{"Event": …}]}`, a list of either, or a bare event."""
    if isinstance(root, dict) and "response" in root:
        root = root["response"]
    found = [tree(item.get("Event", item)) for item in trees(root)]
    return [event for event in found if ("Attribute" in event or "Object" in event) and _is_event(event)]


def _is_event(event: Tree) -> bool:
    """An event says what it is about; a search gives attributes alone, each with its category."""
    alone = list(trees(event.get("Attribute", [])))
    return "info" in event or (bool(alone) and all({"type", "category", "value"} <= item.keys() for item in alone))


def _event(composer: Composer, event: Tree) -> None:
    own = [group for group in trees(event.get("Object", [])) if word(group.get("name")) == extension.MISP_OBJECT]
    if sum(_own_claims(composer, group) for group in own):
        return  # the attributes say the same again, in fewer words
    composer.prose("", word(event.get("info")))
    for item in trees(event.get("Attribute", [])):
        _attribute(composer, item)
    for group in trees(event.get("Object", [])):
        composer.heading(word(group.get("name")))
        composer.prose("", word(group.get("comment")))
        for item in trees(group.get("Attribute", [])):
            _attribute(composer, item)
    for galaxy in trees(event.get("Galaxy", [])):
        for cluster in trees(galaxy.get("GalaxyCluster", [])):
            _cluster(composer, word(galaxy.get("type") or cluster.get("type")), word(cluster.get("value")), cluster)
    for tag in trees(event.get("Tag", [])):
        for match in _TAG.finditer(word(tag.get("name"))):
            _cluster(composer, match[1], match[2], {})
    for report in trees(event.get("EventReport", [])):
        composer.prose("", word(report.get("content")))


def _own_claims(composer: Composer, group: Tree) -> bool:
    """Compose the claims that Hinomi itself wrote; False where they cannot be read."""
    composer.heading(word(group.get("comment")))
    values = [word(item.get("value")) for item in trees(group.get("Attribute", []))]
    return bool(sum(extension.read_body(composer, tree(parsed(v.encode("utf-8", "replace")))) for v in values))


def _attribute(composer: Composer, item: Tree) -> None:
    if item.get("deleted") is True or item.get("deleted") == "1":
        return
    named = word(item.get("type"))
    kinds, values = COMPOUND.get(named) or named.split("|"), word(item.get("value")).split("|")
    role = _role(item)
    for kind, value in zip(kinds, values, strict=False):
        if kind in PROSE:
            composer.prose(kind, value)
        elif kind in TYPES:
            _value(composer, kind, value, role)
        else:
            composer.note(kind, value)
    composer.prose("comment", word(item.get("comment")))


def _value(composer: Composer, kind: str, value: str, role: ClaimRole) -> None:
    type_ = TYPES[kind]
    if kind == "link":
        composer.indicator(kind, type_, value, "reference", why="a link of the event", confidence=30)
    elif kind == "filename" and ("/" in value or "\\" in value):
        composer.indicator(kind, "filepath", value, role, why="an attribute of the event")
    elif kind.startswith("target-") or type_ in ("actor", "campaign", "malware", "cve"):
        composer.indicator(kind, type_, value, "mentioned", why="an attribute of the event")
    else:
        composer.indicator(kind, type_, value, role, why="an attribute of the event")


def _role(item: Tree) -> ClaimRole:
    if item.get("to_ids") not in (True, "1", 1):
        return "mentioned"
    told = said(word(item.get("comment")).lower()) if item.get("category") == "Network activity" else None
    return told or ("delivery" if item.get("category") in _DELIVERY else "malicious")


def _cluster(composer: Composer, galaxy: str, value: str, cluster: Tree) -> None:
    if galaxy in TECHNIQUES:
        for number in _NUMBER.findall(value) or words(tree(cluster.get("meta")).get("external_id", []))[:1]:
            name = technique_names().get(number)
            composer.claim(galaxy, "attack-technique", number, why="a galaxy of the event", canonical=name)
    elif kind := GALAXIES.get(galaxy):
        name = re.sub(r" - [GSC]\d{4}$", "", value)
        composer.claim(galaxy, kind, name, why="a galaxy of the event")
        for alias in words(tree(cluster.get("meta")).get("synonyms", []))[:20]:
            if alias != name:
                composer.claim("synonym", kind, alias, why="a synonym of the galaxy", canonical=clean(name) or None)
    composer.prose("", word(cluster.get("description")))


FORMAT: Any = _Misp()
