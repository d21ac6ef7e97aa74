"""The console over a real server on loopback: pages, JSON twins, headers, and nothing from evidence as markup."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
import uvicorn

from hinomi.console.app import make_app
from hinomi.model.findings import Coverage, Finding
from hinomi.model.text import Bilingual
from hinomi.store.case import Case

HOSTILE = "/tmp/<img src=x onerror=alert(1)>\x1b[2J"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("case")
    said = Bilingual(f"found {HOSTILE}", f"発見 {HOSTILE}")
    finding = Finding("f" * 16, "r", "sql", said, said, "high", 80, HOSTILE, "file", HOSTILE)
    with Case.open(folder) as case:
        run = case.begin_run(target=HOSTILE, kind="root", host="h")
        case.findings.keep([finding], run.id, "2026-11-22T12:00:00+00:00")
        run.finish(Coverage())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(make_app(folder, "ja"), host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(200):
        if server.started:
            break
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def get(url: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode(), {k.lower(): v for k, v in answer.headers.items()}
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), {}


def test_the_home_page_lists_runs_without_their_markup(site: str) -> None:
    status, page, headers = get(site + "/")
    assert status == 200
    assert "<img" not in page and "&lt;img" in page and "\x1b" not in page
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "高 1" in page


def test_every_page_is_also_json(site: str) -> None:
    run = json.loads(get(site + "/?format=json")[1])["runs"][0]
    assert run["findings"] == {"high": 1}
    document = json.loads(get(f"{site}/runs/{run['id']}?format=json")[1])
    assert document["findings"][0]["subject"]["key"] == HOSTILE
    page = get(f"{site}/runs/{run['id']}")[1]
    assert "発見" in page and "<img" not in page


def test_unknown_runs_and_foreign_hosts_are_refused(site: str) -> None:
    assert get(site + "/runs/none")[0] == 404
    assert get(site + "/", Host="rebound.example")[0] == 400
