"""One-liners of other languages inside a shell script, read by a few public API names: sockets, downloads, decoding."""

from __future__ import annotations

import re

_URL = re.compile(r"(?:https?|ftp)://[^\s'\"<>|;)]+")
_ADDRESS = re.compile(r"['\"]((?:\d{1,3}\.){3}\d{1,3}|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+){1,6})['\"]\s*,\s*(\d{1,5})")
_PERL_ADDRESS = re.compile(r"((?:\d{1,3}\.){3}\d{1,3})[:'\"]+(\d{1,5})")
_SLEEP = re.compile(r"\bsleep\s*\(?\s*(\d{1,6})|select\(undef, ?undef, ?undef, ?(\d{1,6})")
_DOWNLOAD = (
    "urlopen",
    "urlretrieve",
    "requests.get",
    "LWP::Simple",
    "HTTP::Tiny",
    "file_get_contents('http",
    'file_get_contents("http',
    "open-uri",
    "http.get",
)
_CONNECT = ("socket", "fsockopen", "IO::Socket", "TCPSocket", "net.connect", "net.Socket")
_DECODE = (
    "b64decode",
    "decode_base64",
    "base64_decode",
    "unhexlify",
    "fromhex",
    "zlib.decompress",
    "gzinflate",
    "Buffer.from",
)
_RUN = ("exec(", "eval(", "compile(", "marshal.loads")
_SHELL = (
    "pty.spawn",
    "subprocess",
    "os.system",
    "popen",
    "/bin/sh",
    "/bin/bash",
    "shell_exec",
    "child_process",
    "dup2",
)


def told(code: str) -> list[tuple[str, str | None, str]]:
    """Return (action, object, detail) of what the code says it does."""
    found: list[tuple[str, str | None, str]] = []
    text = code[:20_000]
    address = _ADDRESS.search(text) or _PERL_ADDRESS.search(text)
    url = _URL.search(text)
    if any(word in text for word in _CONNECT) and (address or any(word in text for word in _SHELL)):
        found.append(("connects", f"{address[1]}:{address[2]}" if address else None, "socket"))
    if any(word in text for word in _DOWNLOAD):
        found.append(("downloads", url.group() if url else None, "code"))
    if any(word in text for word in _DECODE):
        found.append(("decodes", text[:200], "base64" if "64" in text else "code"))
    if any(word in text for word in _RUN) and any(word in text for word in (*_DECODE, *_DOWNLOAD)):
        found.append(("executes-code", "download" if any(w in text for w in _DOWNLOAD) else "decoded", "exec"))
    sleep = _SLEEP.search(text)
    if sleep is not None:
        found.append(("sleeps", sleep[1] or sleep[2], "code"))
    return found
