"""Alerts arrive whole, and nothing in a file name can forge another."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from hinomi.model.findings import Finding
from hinomi.model.text import Bilingual
from hinomi.watch.alerts.file import FileSink
from hinomi.watch.alerts.journald import JournaldSink
from hinomi.watch.alerts.message import Alert, of_finding
from hinomi.watch.alerts.syslog import SyslogSink, format_message
from hinomi.watch.alerts.webhook import WebhookSink

HOSTILE = 'x\n<0>1 forged "]\x1b[2J\u202e<!channel>'
FINDING = Finding(
    id="f1", rule_id="r", rule_kind="sql", title=Bilingual(f"T {HOSTILE}", "題"), explanation=Bilingual("", ""),
    severity="high", confidence=80, target="/", subject_type="file", subject_key=HOSTILE,
    last_seen="2026-01-02T03:04:05+00:00",
    attributes={"changed_by": {"exe": HOSTILE, "pid": 7, "user": "root", "login_user": "hanako", "container": None}},
)  # fmt: skip
ALERT = of_finding(FINDING, "host", "en")


def test_an_alert_is_one_printable_line_that_says_who() -> None:
    assert ALERT.text.isprintable() and "hanako" in ALERT.text and "pid 7" in ALERT.text
    assert all(c.isprintable() for c in ALERT.subject)


def test_syslog_is_rfc_5424() -> None:
    text = format_message(ALERT).decode()
    head, _, rest = text.partition(" hinomi ")
    assert head == "<83>1 2026-01-02T03:04:05+00:00 host"
    assert '\\"' in rest and "\\]" in rest and "\n" not in text and "\x1b" not in text
    assert "] \ufeffT x" in text


def test_syslog_over_udp_tcp_and_unix(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        SyslogSink(f"udp://127.0.0.1:{udp.getsockname()[1]}").send(ALERT)
        assert udp.recv(4096).startswith(b"<83>1 ")
    with socket.create_server(("127.0.0.1", 0)) as server:
        SyslogSink(f"tcp://127.0.0.1:{server.getsockname()[1]}").send(ALERT)
        client, _ = server.accept()
        with client:
            size, _, message = client.recv(65536).partition(b" ")
        assert len(message) == int(size)
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        path = str(tmp_path / f"log{int(kind)}")
        with socket.socket(socket.AF_UNIX, kind) as local:
            local.bind(path)
            if kind == socket.SOCK_STREAM:
                local.listen(1)
            SyslogSink(f"unix:{path}").send(ALERT)
            if kind == socket.SOCK_DGRAM:
                assert local.recv(4096).startswith(b"<83>1 ")
            else:
                client, _ = local.accept()
                with client:
                    assert client.recv(65536).endswith(b"\n")
    with pytest.raises(ValueError, match="not unix"):
        SyslogSink("http://x")


def test_journald_gets_fields(tmp_path: Path) -> None:
    path = str(tmp_path / "journal")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(path)
        JournaldSink(path).send(ALERT)
        fields = dict(line.split("=", 1) for line in journal.recv(65536).decode().splitlines())
    assert fields["PRIORITY"] == "3" and fields["HINOMI_RULE"] == "r" and fields["HINOMI_LOGIN_USER"] == "hanako"
    assert "forged" in fields["MESSAGE"], "escaped, on its one line"


def test_a_file_is_found_again_after_rotation_and_links_are_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "alerts"
    sink = FileSink(str(path))
    sink.send(ALERT)
    path.rename(tmp_path / "alerts.1")
    sink.send(ALERT)
    assert [json.loads(p.read_text())["rule"] for p in (path, tmp_path / "alerts.1")] == ["r", "r"]
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(OSError, match="symbolic"):
        FileSink(str(tmp_path / "link")).send(ALERT)


class _Hook(BaseHTTPRequestHandler):
    bodies: list[Any] = []  # noqa: RUF012
    answer = 200

    def do_POST(self) -> None:
        self.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.answer)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def test_webhooks_take_json_and_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with HTTPServer(("127.0.0.1", 0), _Hook) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/x"
            WebhookSink(url).send(ALERT)
            WebhookSink(url, "slack").send(ALERT)
            _Hook.answer = 302
            with pytest.raises(OSError, match="302"):
                WebhookSink(url).send(ALERT)
        finally:
            server.shutdown()
            thread.join()
    assert _Hook.bodies[0]["schema"] == "hinomi.alert/1" and _Hook.bodies[0]["login_user"] == "hanako"
    assert "<!channel>" not in _Hook.bodies[1]["text"] and "&lt;!channel&gt;" in _Hook.bodies[1]["text"]
    with pytest.raises(ValueError, match="not an http"):
        WebhookSink("file:///etc/passwd")


def test_an_alert_says_how_often_it_was_held_back() -> None:
    assert Alert("k", "low", "t", "h", "", "r", "s", repeats=4).line() == "t (+4)"
