"""The way out is narrow: only when asked, only http, bounded, and never from outside back into our own network."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hinomi.flow import online
from hinomi.flow.online import fetch
from hinomi.flow.reading import read_reports
from hinomi.model.errors import ReportError, UsageError
from hinomi.store.case import Case

PAGE = "<html><head><title>Kawara</title></head><body><article><p>C2 is 203.0.113[.]77.</p></article></body></html>"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_an_address_is_read_only_when_asked(server: Any, case: Case) -> None:
    url = server.page("/post", PAGE)
    with pytest.raises(UsageError, match=r"online\.not-asked"):
        read_reports(case, [url])
    assert server.asked == []
    (report,) = read_reports(case, [url], online=True)
    assert report.source == url
    assert ("ipv4", "203.0.113.77") in {(c.type, c.value) for c in report.claims}


def test_redirects_end_at_the_final_address(server: Any) -> None:
    server.page("/a", "", status=302, Location="/b")
    final = server.page("/b", PAGE, ETag='"7"')
    got = fetch(server.url + "/a")
    assert (got.url, got.etag, got.status) == (final, '"7"', 200)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://h/x", "http://", "http://h:99999/", "http://h/a b", "x"])
def test_other_schemes_are_refused(url: str) -> None:
    with pytest.raises(ReportError, match=r"online\.address"):
        fetch(url)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1"])
def test_a_redirect_to_another_scheme_is_refused(server: Any, target: str) -> None:
    server.page("/a", "", status=302, Location=target)
    with pytest.raises(ReportError, match=r"online\.address"):
        fetch(server.url + "/a")


def test_an_endless_chain_ends(server: Any) -> None:
    server.page("/a", "", status=302, Location="/a")
    with pytest.raises(ReportError, match=r"online\.redirects"):
        fetch(server.url + "/a")
    assert len(server.asked) == online.MAX_REDIRECTS + 1


def test_a_public_server_cannot_send_us_into_our_own_network(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first connection counts as public here, the second is what it is: loopback."""
    server.page("/a", "", status=302, Location=server.page("/secret", "ours"))
    real = ipaddress.ip_address
    first = {"left": 1}

    def seen(text: str) -> Any:
        if first["left"]:
            first["left"] -= 1
            return real("192.0.0.9")  # a public address, globally reachable by its registry
        return real(text)

    monkeypatch.setattr(online.ipaddress, "ip_address", seen)
    with pytest.raises(ReportError, match="our own network"):
        fetch(server.url + "/a")
    assert [path for path, _ in server.asked] == ["/a"]


def test_too_much_is_refused(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "MAX_BYTES", 1000)
    server.page("/big", b"x" * 2000)
    server.page("/bomb", gzip.compress(b"x" * 100_000), Content_Encoding="gzip")
    for path in ("/big", "/bomb"):
        with pytest.raises(ReportError, match=r"online\.too-large"):
            fetch(server.url + path)


def test_compressed_answers_are_unpacked(server: Any) -> None:
    assert fetch(server.page("/z", gzip.compress(b"words"), Content_Encoding="gzip")).data == b"words"


def test_a_server_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "WHOLE_SECONDS", 0.6)
    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = threading.Thread(target=drip, args=(server,))
        dripping.start()
        try:
            with pytest.raises(ReportError, match=r"online\.failed"):
                fetch(f"http://127.0.0.1:{server.getsockname()[1]}/")
        finally:
            dripping.join()


def test_an_answer_that_ends_early_is_not_taken_for_the_whole(server: Any) -> None:
    with pytest.raises(ReportError, match=r"online\.failed"):
        fetch(server.page("/short", b"words", Content_Length="6"))


def drip(server: socket.socket) -> None:
    """Answer one caller byte by byte, without an end of our own."""
    caller, _ = server.accept()
    with caller, suppress(OSError):
        caller.recv(4096)
        caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 999999999\r\n\r\n")
        while True:
            caller.sendall(b"x")
            time.sleep(0.01)


def test_errors_of_the_server_are_told(server: Any) -> None:
    with pytest.raises(ReportError, match="404"):
        fetch(server.url + "/none")
    with pytest.raises(ReportError, match=r"online\.failed"):
        fetch("http://127.0.0.1:1/")


def test_credentials_go_to_the_named_host_only(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password word\n")
    (tmp_path / ".netrc").chmod(0o600)
    other = server.page("/b", PAGE).replace("127.0.0.1", "localhost")
    server.page("/a", "", status=302, Location=other)
    fetch(server.url + "/a")
    assert ["authorization" in headers for _, headers in server.asked] == [True, False]
