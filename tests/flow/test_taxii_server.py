"""The TAXII client against OASIS' own server, medallion, in a process of its own on loopback."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hinomi.flow.taxii import MEDIA_TYPE, pull
from hinomi.store.case import Case

pytest.importorskip("medallion")
NUMBER = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
VERSION = "2026-01-01T00:00:00.000Z"


def _indicator(number: int) -> dict[str, Any]:
    return {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--6770298f-0fd8-471a-ab8c-{number:012x}",
        "created": VERSION, "modified": VERSION, "valid_from": VERSION, "pattern_type": "stix",
        "indicator_types": ["malicious-activity"], "pattern": f"[ipv4-addr:value = '203.0.113.{number}']",
    }  # fmt: skip


def _data(objects: list[dict[str, Any]]) -> dict[str, Any]:
    manifest = [
        {
            "id": item["id"], "date_added": f"2026-0{1 + number // 5}-01T00:00:{number:02}.000000Z",
            "version": VERSION, "media_type": "application/stix+json;version=2.1",
        }
        for number, item in enumerate(objects)
    ]  # fmt: skip
    collection = {
        "id": NUMBER, "title": "One", "can_read": True, "can_write": False,
        "media_types": ["application/stix+json;version=2.1"], "objects": objects, "manifest": manifest,
    }  # fmt: skip
    root = {
        "information": {"title": "Root", "versions": [MEDIA_TYPE], "max_content_length": 9765625},
        "status": [], "collections": [collection],
    }  # fmt: skip
    return {"/discovery": {"title": "Server", "default": "/root/", "api_roots": ["/root/"]}, "root": root}


@pytest.fixture
def medallion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve one collection of ten indicators, three a page, to the user that HOME's .netrc names."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login reader password secret\n")
    netrc.chmod(0o600)
    data, config = tmp_path / "data.json", tmp_path / "config.json"
    data.write_text(json.dumps(_data([_indicator(number) for number in range(1, 11)])))
    memory = {
        "module": "medallion.backends.memory_backend", "module_class": "MemoryBackend", "filename": str(data),
    }  # fmt: skip
    config.write_text(json.dumps({"backend": memory, "users": {"reader": "secret"}, "taxii": {"max_page_size": 3}}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "medallion.scripts.run", "--port", str(port), str(config)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/taxii2/", timeout=5)
        except urllib.error.HTTPError:
            return  # it answers; the media type was not asked for
        except OSError:
            time.sleep(0.1)
    pytest.skip("the server did not start")


def test_all_pages_and_then_only_what_is_new(medallion: str, case: Case) -> None:
    pulled = pull(case, medallion + "/taxii2/", collection=None, since=None, online=True)
    assert pulled.left_out == []
    reports = pulled.reports
    values = {claim.value for report in reports for claim in report.claims}
    assert values == {f"203.0.113.{number}" for number in range(1, 11)}
    newer = pull(
        case, medallion + "/root/", collection=NUMBER, since="2026-01-15T00:00:00.000000Z", online=True
    ).reports
    assert {claim.value for report in newer for claim in report.claims} == {f"203.0.113.{n}" for n in range(6, 11)}
