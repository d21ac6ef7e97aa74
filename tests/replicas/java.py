"""Writes inert class files (constant pools, no methods) with the traits of Log4j's decisive classes, and jars."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile

CORE = "org/apache/logging/log4j/core"
_MANAGER = ["java.naming.factory.initial", "java.naming.provider.url", "lookup", "getDefaultManager", "releaseSub"]
_MESSAGE = (
    "The JNDI InitialContextFactory class name [{}] was provided, but there was no associated provider URL. "
    "This is likely to cause problems."
)
MANAGER_MARKS = {
    "open": [],
    "hosts": ["allowedHosts"],
    "enabled": ["allowedHosts", "isJndiEnabled"],
    "lookup": ["isJndiEnabled", "isJndiLookupEnabled"],
    "jdbc": ["isJndiEnabled", "isJndiLookupEnabled", "isJndiJdbcEnabled"],
}
_LOOKUP = ["java:comp/env/", "convertJndiName", "name", "jndi", "category", "Lookup"]


def java_class(name: str, texts: list[str], classes: list[str] | None = None) -> bytes:
    """Return a class file named `name` (a/b/C) whose pool holds `texts` and names `classes`."""
    pool: list[bytes] = []

    def utf8(text: str) -> int:
        data = text.encode()
        pool.append(b"\x01" + struct.pack(">H", len(data)) + data)
        return len(pool)

    def reference(text: str) -> int:
        index = utf8(text)
        pool.append(b"\x07" + struct.pack(">H", index))
        return len(pool)

    own, parent = reference(name), reference("java/lang/Object")
    for text in texts:
        utf8(text)
    for other in classes or []:
        reference(other)
    body = struct.pack(">HHHHHHH", 0x21, own, parent, 0, 0, 0, 0)
    return b"\xca\xfe\xba\xbe\x00\x00\x00\x34" + struct.pack(">H", len(pool) + 1) + b"".join(pool) + body


def manager(band: str = "open", core: str = CORE, name: str | None = None) -> bytes:
    """Return a JndiManager of a band (see MANAGER_MARKS)."""
    return java_class(name or f"{core}/net/JndiManager", [*_MANAGER, _MESSAGE, *MANAGER_MARKS[band]])


def lookup(kind: str = "open", core: str = CORE, name: str | None = None, of: str | None = None) -> bytes:
    """Return a JndiLookup: open (2.1-2.16), lookup (2.17 and later), beta (2.0), disabled (2.12.2)."""
    own = name or f"{core}/lookup/JndiLookup"
    partner = of or f"{core}/net/JndiManager"
    if kind == "disabled":
        texts = ["Attempt to use JNDI Lookup", "JNDI is not supported", "category", "Lookup", "jndi"]
        return java_class(own, texts)
    if kind == "beta":
        return java_class(own, _LOOKUP, ["javax/naming/InitialContext", "javax/naming/NamingException"])
    extra = ["isJndiLookupEnabled"] if kind == "lookup" else []
    return java_class(own, [*_LOOKUP, *extra], [partner, "javax/naming/NamingException"])


def core_members(band: str = "open", core: str = CORE, root: str = "", suffix: str = ".class") -> dict[str, bytes]:
    """Return the members of a whole copy of one band: manager, lookup and a few bystanders."""
    kind = {"jdbc": "lookup", "lookup": "lookup"}.get(band, "open")
    members = {f"{core}/Filler{n}": java_class(f"{core}/Filler{n}", ["filler", str(n) * 50]) for n in range(6)}
    if band == "beta":
        members[f"{core}/lookup/JndiLookup"] = lookup("beta", core)
    else:
        members |= {f"{core}/net/JndiManager": manager(band, core), f"{core}/lookup/JndiLookup": lookup(kind, core)}
    members[f"{core}/lookup/EnvironmentLookup"] = java_class(f"{core}/lookup/EnvironmentLookup", ["env" * 30])
    return {f"{root}{name}{suffix}": data for name, data in members.items()}


def pom(version: str, group: str = "org.apache.logging.log4j", artifact: str = "log4j-core") -> dict[str, bytes]:
    """Return the pom.properties member of an artifact."""
    text = f"#Created\nversion={version}\ngroupId={group}\nartifactId={artifact}\n"
    return {f"META-INF/maven/{group}/{artifact}/pom.properties": text.encode()}


def jar(members: dict[str, bytes] | list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of the members, in order; a list may name one twice."""
    out = io.BytesIO()
    pairs = members.items() if isinstance(members, dict) else members
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", method) as archive:
        warnings.simplefilter("ignore")
        for name, data in pairs:
            archive.writestr(zipfile.ZipInfo(name, (2021, 12, 1, 0, 0, 0)), data, method)
    return out.getvalue()
