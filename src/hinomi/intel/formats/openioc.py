"""OpenIOC 1.0 and 1.1: the terms of a definition. What is denied, or only a fragment, is no indicator."""

from __future__ import annotations

import re
from typing import Any

from hinomi.intel.composing import Composer
from hinomi.intel.format import DAMAGE, Statements, damaged, document
from hinomi.intel.jsontree import day
from hinomi.intel.normal import clean
from hinomi.intel.xmltree import elements, encoding_of, first, local, looks_like_xml, root_of, text_of
from hinomi.model.claims import ClaimRole, ClaimType, Document

_KIND = "an OpenIOC file"
_TERMS: dict[str, ClaimType | None] = {
    "fileitem/md5sum": "md5", "fileitem/sha1sum": "sha1", "fileitem/sha256sum": "sha256",
    "fileitem/filename": "filename",
    "fileitem/fullpath": "filepath", "fileitem/filepath": "filepath", "portitem/remoteip": "ipv4",
    "routeentryitem/destination": "ipv4", "network/dns": "domain", "dnsentryitem/host": "domain",
    "dnsentryitem/recordname": "domain", "urlhistoryitem/url": "url", "network/uri": "url",
    "network/useragent": "user-agent", "registryitem/path": "registry-key", "registryitem/keypath": "registry-key",
    "processitem/handlelist/handle/name": "mutex", "serviceitem/name": "service", "taskitem/name": "task",
    "email/from": "email", "email/to": "email", "processitem/name": "filename", "serviceitem/path": "filepath",
    "urlhistoryitem/hostname": "domain", "processitem/path": "filepath", "useritem/username": "account",
    "fileitem/peinfo/importtablehash": "imphash", "driveritem/drivername": "filename",
    "urlhistoryitem/domain": "domain", "portitem/localip": None, "network/string": None,
}  # fmt: skip
_FILE = re.compile(r"(?<=\\)[^\\]{1,200}\.[A-Za-z0-9]{1,5}$")
_EXACT = frozenset({"is", ""})


class _OpenIoc:
    name = "openioc"
    media_types = ("application/xml", "text/xml")

    def sniff(self, data: bytes) -> int:
        return 92 if looks_like_xml(data, b"schemas.mandiant.com", b"openioc.org", b"<OpenIOC", b"<ioc ") else 0

    def extract(self, data: bytes, source: str) -> Document:
        return self.read(data, source)[0]

    def read(self, data: bytes, source: str) -> tuple[Document, Statements]:
        root = root_of(data, source, _KIND)
        composer = Composer()
        title = clean(text_of(first(root, "short_description")), 300)
        try:
            composer.heading(title)
            composer.prose("", text_of(first(root, "description")))
            for element in elements(root):
                if local(element) == "IndicatorItem":
                    _item(composer, element)
        except DAMAGE as error:
            raise damaged(source, _KIND, error) from error
        stated = composer.statements()
        return document(
            data, source, composer.text, media_type="application/xml", encoding=encoding_of(root),
            title=title or None, published=day(text_of(first(root, "authored_date"))), notes=tuple(composer.notes),
        ), stated  # fmt: skip


def _item(composer: Composer, item: Any) -> None:
    context = next((e for e in item if local(e) == "Context"), None)
    content = next((e for e in item if local(e) == "Content"), None)
    if context is None or content is None:
        return
    search, value = context.get("search", ""), text_of(content)
    condition = item.get("condition", "").lower()
    if item.get("negate", "").lower() == "true" or condition.startswith("isnot") or "not" in condition:
        composer.note(f"not {search}", value)
        return
    kind = _TERMS.get(search.lower())
    if kind == "mutex" and (file := _FILE.search(value)):  # a handle may be of a file
        kind, value = "filename", file[0]
    if search.lower() not in _TERMS:
        composer.note(search, value)
        return
    exact = condition in _EXACT
    role: ClaimRole = "malicious" if exact else "mentioned"
    composer.indicator(search, kind, value, role, why="a term of the definition", confidence=85 if exact else 50)


FORMAT: Any = _OpenIoc()
