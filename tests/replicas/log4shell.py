"""An inert server with old Log4j copies: class files that hold a constant pool and no code, in jars within a war.

The pools hold the words that tell releases apart (see the class markers of the Log4j rules); nothing can be loaded.
"""

from __future__ import annotations

import io
import struct
import zipfile

_CORE = "org/apache/logging/log4j/core"
_MANAGER = ("java.naming.factory.initial", "java.naming.provider.url", "lookup", "isJndiEnabled")
_LOOKUP = (
    "java:comp/env/",
    "convertJndiName",
    "javax/naming/NamingException",
    "Lorg/apache/logging/log4j/core/config/plugins/Plugin;",
    "Lookup",
    "category",
)


def class_file(name: str, words: tuple[str, ...]) -> bytes:
    """Return a class of that name without fields or methods whose constant pool holds `words`."""
    texts = [name, "java/lang/Object", *words]
    pool = b"".join(b"\x01" + struct.pack(">H", len(t.encode())) + t.encode() for t in texts)
    classes = b"\x07" + struct.pack(">H", 1) + b"\x07" + struct.pack(">H", 2)
    count = len(texts) + 3
    head = b"\xca\xfe\xba\xbe" + struct.pack(">HHH", 0, 52, count)
    return head + pool + classes + struct.pack(">HHHHHHH", 0x21, len(texts) + 1, len(texts) + 2, 0, 0, 0, 0)


def core_jar(kind: str = "2.14", prefix: str = _CORE) -> bytes:
    """Return a jar like log4j-core of a release: `2.14` (open), `2.17.0` (one fix short) or `2.17.1` (fixed)."""
    manager = {"2.14": _MANAGER[:3], "2.17.0": (*_MANAGER, "isJndiLookupEnabled"),
               "2.17.1": (*_MANAGER, "isJndiLookupEnabled", "isJndiJdbcEnabled")}[kind]  # fmt: skip
    return archive({
        f"{prefix}/net/JndiManager.class": class_file(f"{prefix}/net/JndiManager", manager),
        f"{prefix}/lookup/JndiLookup.class": class_file(f"{prefix}/lookup/JndiLookup", _LOOKUP),
    })  # fmt: skip


def archive(members: dict[str, bytes]) -> bytes:
    """Return a zip of the members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, data in members.items():
            made.writestr(name, data)
    return buffer.getvalue()


def server(kind: str = "2.14") -> dict[str, tuple[bytes, int]]:
    """Return a root whose web application holds the library under a name that says nothing."""
    war = archive({"WEB-INF/lib/logging.bin": core_jar(kind), "index.html": b"<p>hello</p>"})
    return {
        "/etc/passwd": (b"root:x:0:0:root:/root:/bin/bash\ntomcat:x:998:998::/opt/tomcat:/usr/sbin/nologin\n", 0o644),
        "/etc/shadow": (b"root:*:19000:0:99999:7:::\ntomcat:!:19000::::::\n", 0o600),
        "/opt/tomcat/webapps/shop.war": (war, 0o644),
    }
