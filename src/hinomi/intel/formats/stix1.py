"""STIX 1.x XML: the CybOX values of indicators and observables, names, weaknesses and descriptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hinomi.intel.composing import Composer
from hinomi.intel.format import DAMAGE, Statements, damaged, document
from hinomi.intel.jsontree import day
from hinomi.intel.normal import clean
from hinomi.intel.xmltree import elements, encoding_of, inner, local, looks_like_xml, root_of
from hinomi.model.claims import ClaimRole, ClaimType, Document

_KIND = "a STIX 1 document"
_LIST = "##comma##"
_VALUES: dict[tuple[str, str], ClaimType | None] = {
    ("AddressObject", "Address_Value"): None, ("DomainNameObject", "Value"): "domain", ("URIObject", "Value"): None,
    ("LinkObject", "Value"): "url", ("HostnameObject", "Hostname_Value"): "domain",
    ("FileObject", "File_Name"): "filename",
    ("FileObject", "File_Path"): "filepath", ("MutexObject", "Name"): "mutex", ("PipeObject", "Name"): "pipe",
    ("WindowsRegistryKeyObject", "Key"): "registry-key", ("WinRegistryKeyObject", "Key"): "registry-key",
    ("HTTPSessionObject", "User_Agent"): "user-agent", ("EmailMessageObject", "Address_Value"): "email",
    ("UserAccountObject", "Username"): "account", ("WindowsServiceObject", "Service_Name"): "service",
    ("WinServiceObject", "Service_Name"): "service", ("SocketAddressObject", "Address_Value"): None,
}  # fmt: skip
_HASH_LENGTHS: dict[int, ClaimType] = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
_NAMES: dict[tuple[str, str], ClaimType] = {
    ("Malware_Instance", "Name"): "malware", ("Malware_Instance", "Title"): "malware", ("Tool", "Name"): "tool",
    ("Threat_Actor", "Title"): "actor", ("Campaign", "Title"): "campaign", ("Campaign", "Name"): "campaign",
}  # fmt: skip
_OWNERS = frozenset({*(owner for owner, _ in _NAMES), "Indicator", "STIX_Header", "Course_Of_Action", "COA", "TTP"})


class _Stix1:
    name = "stix1"
    media_types = ("application/xml", "text/xml", "application/stix+xml")

    def sniff(self, data: bytes) -> int:
        return 92 if looks_like_xml(data, b"stix.mitre.org", b"docs.oasis-open.org/cti/ns/stix") else 0

    def extract(self, data: bytes, source: str) -> Document:
        return self.read(data, source)[0]

    def read(self, data: bytes, source: str) -> tuple[Document, Statements]:
        root = root_of(data, source, _KIND)
        composer, reader = Composer(), _Walk()
        try:
            for element in elements(root):
                reader.compose(composer, element)
        except DAMAGE as error:
            raise damaged(source, _KIND, error) from error
        if not composer.text:
            composer.heading("STIX 1")
        stated = composer.statements()
        return document(
            data, source, composer.text, media_type="application/xml", encoding=encoding_of(root),
            title=reader.title, published=day(root.get("timestamp", "")), notes=tuple(composer.notes),
        ), stated  # fmt: skip


class _Walk:
    """One pass over the elements, in document order."""

    def __init__(self) -> None:
        self.title: str | None = None

    def compose(self, composer: Composer, element: Any) -> None:
        name, value = local(element), (element.text or "").strip()
        if name in ("Title", "Description", "Short_Description") and local(element.getparent()) in _OWNERS | {""}:
            self._words(composer, element, name)
        if not value:
            return
        if name == "Simple_Hash_Value":
            _hashes(composer, element, value)
        elif name == "CVE_ID":
            composer.indicator("CVE", "cve", value, "mentioned", why="an exploit target")
        elif kind := _NAMES.get((_owner(element), name)):
            composer.claim(_owner(element), kind, value, why="named by the document")
        else:
            _value(composer, element, name, value)

    def _words(self, composer: Composer, element: Any, name: str) -> None:
        owner, words = local(element.getparent()), inner(element)
        if name == "Title" and owner == "STIX_Header":
            self.title = clean(words, 300) or None
            composer.heading(words)
        elif name == "Title":
            composer.note(owner, words)
        elif owner in ("Course_Of_Action", "COA"):
            composer.claim("mitigation", "mitigation", words, why="a course of action")
        else:
            composer.prose("", words)


def _above(element: Any) -> Iterator[Any]:
    for number, above in enumerate(element.iterancestors()):
        if number > 60:
            return
        yield above


def _owner(element: Any) -> str:
    return next((local(a) for a in _above(element) if local(a) in _OWNERS), "")


def _object(element: Any) -> str:
    """Return the CybOX object type that an element belongs to, from `xsi:type` of the properties above it."""
    for above in _above(element):
        for key, value in above.attrib.items():
            if key.endswith("}type") and value.endswith("ObjectType"):
                return str(value.rpartition(":")[2].removesuffix("Type"))
        if local(above) in ("From", "Sender", "Reply_To", "To"):
            return "EmailMessageObject"
    return ""


def _role(element: Any) -> ClaimRole:
    indicator = next((a for a in _above(element) if local(a) == "Indicator"), None)
    if indicator is None:
        return "mentioned"
    kinds = [(e.text or "").strip().upper() for e in indicator if local(e) == "Type"]
    return "command-and-control" if _C2 in kinds and _object(element) in _NETWORK else "malicious"


_C2 = "C2"
"""Of STIX 1's vocabulary of indicator types (IndicatorTypeVocab)."""
_NETWORK = frozenset({"AddressObject", "DomainNameObject", "URIObject", "HostnameObject", "SocketAddressObject"})


def _parts(element: Any, value: str) -> list[str]:
    return [part.strip() for part in value.split(element.get("delimiter") or _LIST) if part.strip()]


def _hashes(composer: Composer, element: Any, value: str) -> None:
    if _denied(element):
        return
    for part in _parts(element, value):
        kind = _HASH_LENGTHS.get(len(part))
        composer.indicator("hash", kind, part, _role(element), why="a hash of the document")


def _value(composer: Composer, element: Any, name: str, value: str) -> None:
    key = (_object(element), name)
    if key not in _VALUES or _denied(element):
        return
    fragment = element.get("condition", "Equals") not in ("Equals", "Contains")
    for part in _parts(element, value):
        whole = f"{_hive(element)}{part}" if name == "Key" else part
        role: ClaimRole = "mentioned" if fragment else _role(element)
        composer.indicator(key[0].removesuffix("Object"), _VALUES[key], whole, role, why="a value of the document")


def _denied(element: Any) -> bool:
    return "not" in element.get("condition", "").lower()


def _hive(element: Any) -> str:
    hive = next((e for e in element.getparent() if local(e) == "Hive"), None)
    return f"{(hive.text or '').strip()}\\" if hive is not None and (hive.text or "").strip() else ""


FORMAT: Any = _Stix1()
