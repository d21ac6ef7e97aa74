"""A real server on loopback, so that what goes over the wire is tested as it is."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hinomi.store.case import Case

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Server:
    """Answers by path; `asked` records (path with query, headers)."""

    url: str
    pages: dict[str, Answer | Callable[[str, dict[str, str]], Answer]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def page(self, path: str, body: bytes | str, kind: str = "text/html", status: int = 200, **headers: str) -> str:
        data = body.encode() if isinstance(body, str) else body
        self.pages[path] = (status, {"Content-Type": kind} | {k.replace("_", "-"): v for k, v in headers.items()}, data)
        return self.url + path


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server("")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {k.lower(): v for k, v in self.headers.items()}
            made.asked.append((self.path, headers))
            found = made.pages.get(self.path.partition("?")[0], (404, {}, b""))
            status, sent, body = found(self.path, headers) if callable(found) else found
            self.send_response(status)
            for name, value in sent.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{listening.server_address[1]}"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    listening.shutdown()
    listening.server_close()
    thread.join()


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with Case.open(tmp_path / "case") as opened:
        yield opened
