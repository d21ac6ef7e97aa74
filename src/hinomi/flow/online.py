"""The only way out: one bounded request over http or https, made when the user says `--online` and never else.

A server may send us elsewhere five times, but never from a public address to one of our own network; names that
resolve anew are caught by looking at the address that was really reached.
"""

from __future__ import annotations

import gzip
import http.client
import io
import ipaddress
import netrc
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, Protocol

from hinomi import __version__
from hinomi.model.errors import ReportError, UsageError

MAX_BYTES = 32 << 20
MAX_REDIRECTS = 5
STEP_SECONDS = 20.0
WHOLE_SECONDS = 60.0
_SCHEMES = ("http", "https")
_TROUBLE = (OSError, http.client.HTTPException, ValueError, EOFError)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came back: the final address, the bytes, and what the server says of them. 304 has no bytes."""

    url: str
    data: bytes
    media_type: str | None = None
    etag: str | None = None
    modified: str | None = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


class Fetch(Protocol):
    """How the flows reach the network; tests and offline callers put another in its place."""

    def __call__(self, url: str, *, accept: str = ..., etag: str | None = ..., modified: str | None = ...) -> Fetched:
        """Return what is at `url`."""
        ...


def is_url(source: str) -> bool:
    """Tell whether a source is an address of the web rather than a file."""
    return source.partition("://")[0].lower() in _SCHEMES and "://" in source


def require_online(source: str, online: bool) -> None:
    """Raise `UsageError` for an address where the user did not say `--online`."""
    if not online:
        raise UsageError("online.not-asked", place=source, cause="it is an address", next_step="add --online")


def fetch(url: str, *, accept: str = "*/*", etag: str | None = None, modified: str | None = None) -> Fetched:
    """Return what is at `url`: at most 32 MiB within 60 seconds. Raises ReportError with the cause.

    Credentials come from the user's netrc, for the host that was asked for and no other.
    """
    asked = _checked(url)
    headers = {"User-Agent": f"hinomi/{__version__}", "Accept": accept, "Accept-Encoding": "gzip"}
    headers |= {k: v for k, v in (("If-None-Match", etag), ("If-Modified-Since", modified)) if v}
    visit = _Visit(deadline=time.monotonic() + WHOLE_SECONDS)
    current = url
    for _ in range(MAX_REDIRECTS + 1):
        own = _credentials(asked) if _origin(current) == _origin(url) else {}
        status, received, data = visit.get(current, headers | own)
        if status not in (301, 302, 303, 307, 308):
            return _fetched(current, status, received, data)
        current = urllib.parse.urljoin(current, received.get("Location", ""))
        _checked(current)
    raise _failed(url, "redirects", f"more than {MAX_REDIRECTS} redirects")


def _checked(url: str) -> urllib.parse.SplitResult:
    try:
        parts = urllib.parse.urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise _failed(url, "address", str(error)) from error
    if parts.scheme.lower() not in _SCHEMES or not parts.hostname:
        raise _failed(url, "address", "only http and https addresses are read")
    if any(ord(c) <= 32 or ord(c) == 127 for c in url):
        raise _failed(url, "address", "white space or control characters in it")
    return parts


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme.lower(), parts.hostname or "", parts.port


def _credentials(parts: urllib.parse.SplitResult) -> dict[str, str]:
    with suppress(OSError, netrc.NetrcParseError):
        if found := netrc.netrc().authenticators(parts.hostname or ""):
            return {"Authorization": "Basic " + b64encode(f"{found[0]}:{found[2]}".encode()).decode()}
    return {}


def _fetched(url: str, status: int, received: Any, data: bytes) -> Fetched:
    if status not in (200, 203, 206, 304):
        raise _failed(url, "status", f"the server answers {status}")
    return Fetched(
        url, data, received.get("Content-Type"), received.get("ETag"), received.get("Last-Modified"), status,
        tuple(received.items()),
    )  # fmt: skip


def _failed(url: str, code: str, cause: str) -> ReportError:
    return ReportError(f"online.{code}", place=url, cause=cause)


class _Visit:
    """One fetch with its redirects: a deadline for all of it, and whether a public host was reached already."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._public = False
        self._socket: socket.socket | None = None

    def get(self, url: str, headers: dict[str, str]) -> tuple[int, Any, bytes]:
        """Return status, headers and body of one request, without following a redirect."""
        timer = threading.Timer(max(0.1, self._deadline - time.monotonic()), self._cut)
        timer.daemon = True
        timer.start()
        try:
            request = urllib.request.Request(url, headers=headers)
            with self._opener().open(request, timeout=STEP_SECONDS) as answer:
                return answer.status, answer.headers, self._body(url, answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, b""
        except _TROUBLE as error:
            late = time.monotonic() >= self._deadline
            raise _failed(url, "failed", f"more than {WHOLE_SECONDS:.0f} s" if late else _cause(error)) from error
        finally:
            timer.cancel()

    def _cut(self) -> None:
        """A server that drips byte by byte ends with the deadline."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _opener(self) -> urllib.request.OpenerDirector:
        opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(), _Plain(self.reached), _Secure(self.reached),
            urllib.request.HTTPDefaultErrorHandler(), urllib.request.HTTPErrorProcessor(),
        ):  # fmt: skip
            opener.add_handler(handler)
        return opener

    def reached(self, connection: socket.socket, *, proxied: bool) -> None:
        """Refuse an address of our own network once a public one sent us there. Raises ValueError."""
        self._socket = connection
        if proxied:
            return
        address = ipaddress.ip_address(connection.getpeername()[0].partition("%")[0])
        if not address.is_global and self._public:
            connection.close()
            raise ValueError(f"a public server sends us to {address}, an address of our own network")
        self._public = self._public or address.is_global

    def _body(self, url: str, answer: IO[bytes]) -> bytes:
        data = _whole(_bounded(url, answer, self._deadline), answer)
        if getattr(answer, "headers", {}).get("Content-Encoding", "").lower() == "gzip":
            return _bounded(url, gzip.GzipFile(fileobj=io.BytesIO(data)), self._deadline)
        return data


def _bounded(url: str, file: Any, deadline: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    while chunk := file.read1(1 << 16) if hasattr(file, "read1") else file.read(1 << 16):
        size += len(chunk)
        parts.append(chunk)
        if size > MAX_BYTES:
            raise _failed(url, "too-large", f"more than {MAX_BYTES >> 20} MiB")
        if time.monotonic() > deadline:
            raise TimeoutError("too slow")
    if time.monotonic() > deadline:  # it was cut off, which reads as an end
        raise TimeoutError("too slow")
    return b"".join(parts)


def _whole(data: bytes, answer: Any) -> bytes:
    """Return a body; `IncompleteRead` where it is shorter than was announced."""
    announced = str(getattr(answer, "headers", {}).get("Content-Length", ""))
    if announced.isdecimal() and len(data) < int(announced) and not getattr(answer, "chunked", False):
        raise http.client.IncompleteRead(data, int(announced) - len(data))
    return data


def _cause(error: BaseException) -> str:
    reason = getattr(error, "reason", error)
    return str(reason)[:300] or type(reason).__name__


Reached = Callable[..., None]


def _connection(base: type[Any], reached: Reached, proxied: bool) -> Callable[..., Any]:
    """Return a maker of connections that show the socket they opened."""

    class Watched(base):  # type: ignore[misc]
        def connect(self) -> None:
            super().connect()
            reached(self.sock, proxied=proxied)

    return Watched


class _Plain(urllib.request.HTTPHandler):
    def __init__(self, reached: Reached) -> None:
        super().__init__()
        self._reached = reached

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        made: Any = _connection(http.client.HTTPConnection, self._reached, req.has_proxy())
        return self.do_open(made, req)


class _Secure(urllib.request.HTTPSHandler):
    def __init__(self, reached: Reached) -> None:
        super().__init__()
        self._reached = reached

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        tunnelled = bool(getattr(req, "_tunnel_host", None))
        made: Any = _connection(http.client.HTTPSConnection, self._reached, req.has_proxy() or tunnelled)
        return self.do_open(made, req)
