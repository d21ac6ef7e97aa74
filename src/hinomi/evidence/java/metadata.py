"""What packages say of themselves: pom.properties, manifests, npm and Python metadata. Claims only, never a verdict."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

MAX_PACKAGES = 20_000

ENDINGS = (b"pom.properties", b"MANIFEST.MF", b"package.json", b"METADATA", b"PKG-INF", b"package-lock.json")
_FILE_NAME = re.compile(
    rb"(?:^|/)log4j-core-([0-9]{1,3}(?:\.[0-9]{1,5}){0,3}(?:-(?:alpha|beta|rc)-?[0-9]{1,3})?)(?![0-9])"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A package that metadata names. `root` is the class path root for Java; `strong` is false for a mere file name."""

    ecosystem: str
    name: str
    version: str | None
    root: bytes = b""
    entry: bytes = b""
    strong: bool = True

    def fields(self) -> list[str | bool | None]:
        """Return the claim in words that JSON knows."""
        root, entry = self.root.decode("latin-1"), self.entry.decode("latin-1")
        return [self.ecosystem, self.name, self.version, root, entry, self.strong]

    @classmethod
    def of(cls, fields: list[Any]) -> Claim:
        """Return the claim of such words."""
        ecosystem, name, version, root, entry, strong = fields
        return cls(ecosystem, name, version, root.encode("latin-1"), entry.encode("latin-1"), strong)

    @property
    def purl(self) -> str | None:
        """The package URL (purl specification); None without a version."""
        if not self.version:
            return None
        name = self.name.replace(":", "/") if self.ecosystem == "maven" else self.name
        parts = "/".join(quote(part, safe="") for part in name.split("/"))
        return f"pkg:{self.ecosystem}/{parts}@{quote(self.version, safe='')}"


def wants_text(name: bytes) -> bool:
    """Whether a member of this name is metadata to be read."""
    if not name.endswith(ENDINGS):
        return False
    if name.endswith(b"package.json"):
        return b"node_modules/" in name and name.rsplit(b"/", 1)[-1] == b"package.json"
    if name.endswith((b"METADATA", b"PKG-INF")):
        return name.endswith((b".dist-info/METADATA", b".egg-info/PKG-INF", b"EGG-INFO/PKG-INF"))
    return name.rsplit(b"/", 1)[-1] in ENDINGS


def claims_of(name: bytes, data: bytes) -> list[Claim]:
    """Return what one metadata file claims; nothing for what cannot be read."""
    base = name.rsplit(b"/", 1)[-1]
    if base == b"pom.properties":
        return _pom(name, data)
    if base == b"MANIFEST.MF":
        return _manifest(name, data)
    if base == b"package.json":
        return _npm(name, data)
    if base == b"package-lock.json":
        return _npm_lock(name, data)
    return _python(name, data)


def claim_of_file_name(name: bytes) -> Claim | None:
    """Return the weak claim of a file called like a log4j-core jar."""
    found = _FILE_NAME.search(name)
    if found is None:
        return None
    return Claim("maven", "org.apache.logging.log4j:log4j-core", found.group(1).decode(), b"", name, strong=False)


def _pom(name: bytes, data: bytes) -> list[Claim]:
    values = dict(_pairs(data, "="))
    group, artifact, version = values.get("groupId"), values.get("artifactId"), values.get("version")
    if not group or not artifact or not version or "${" in version:
        return []
    at = name.find(b"META-INF/maven/")
    return [Claim("maven", f"{group}:{artifact}"[:300], version[:100], name[: max(at, 0)], name)]


_TITLES = {
    "apache log4j core": "org.apache.logging.log4j:log4j-core",
    "org.apache.logging.log4j.core": "org.apache.logging.log4j:log4j-core",
    "log4j": "log4j:log4j",
    "org.apache.log4j": "log4j:log4j",
    "ch.qos.reload4j": "ch.qos.reload4j:reload4j",
    "reload4j": "ch.qos.reload4j:reload4j",
}

_TITLE_KEYS = (("Bundle-SymbolicName", "Bundle-Version"), ("Implementation-Title", "Implementation-Version"))


def _manifest(name: bytes, data: bytes) -> list[Claim]:
    """A manifest names log4j by title; of other libraries it says too little to name them."""
    values = dict(_pairs(data.split(b"\r\n\r\n")[0].split(b"\n\n")[0].replace(b"\r\n ", b"").replace(b"\n ", b""), ":"))
    for title, version in _TITLE_KEYS:
        product = _TITLES.get(values.get(title, "").split(";")[0].strip().lower())
        if product is not None:
            claimed = values.get("Implementation-Version") or values.get(version)
            return [Claim("maven", product, claimed[:100] if claimed else None, name[: name.find(b"META-INF/")], name)]
    return []


def _pairs(data: bytes, separator: str) -> Iterator[tuple[str, str]]:
    for line in data[:65536].decode("utf-8", "replace").splitlines():
        key, mark, value = line.partition(separator)
        if mark and not line.startswith("#"):
            yield key.strip(), value.strip()


def _json_object(data: bytes) -> dict[str, object]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _npm(name: bytes, data: bytes) -> list[Claim]:
    value = _json_object(data)
    package, version = value.get("name"), value.get("version")
    if not isinstance(package, str) or not isinstance(version, str):
        return []
    return [Claim("npm", package[:300], version[:100], b"", name)]


def _npm_lock(name: bytes, data: bytes) -> list[Claim]:
    packages = _json_object(data).get("packages")
    if not isinstance(packages, dict):
        return []
    claims = []
    for path, entry in list(packages.items())[:MAX_PACKAGES]:
        package = str(path).rpartition("node_modules/")[2]
        version = entry.get("version") if isinstance(entry, dict) else None
        if package and isinstance(version, str):
            claims.append(Claim("npm", package[:300], version[:100], b"", name))
    return claims


def _python(name: bytes, data: bytes) -> list[Claim]:
    values = dict(_pairs(data.split(b"\n\n")[0][:4096], ":"))
    package, version = values.get("Name"), values.get("Version")
    if not package or not version:
        return []
    return [Claim("pypi", re.sub(r"[-_.]+", "-", package).lower()[:300], version[:100], b"", name)]
