"""Learn what this host runs, then start something of our own that it never ran."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hinomi.detect.catalogue import load_rules
from hinomi.evidence.options import ScanOptions
from hinomi.flow import profiles
from hinomi.flow.habits import Habits, profile_path
from hinomi.flow.scanning import scan
from hinomi.model.errors import CaseError, UsageError
from hinomi.store.case import Case
from hinomi.watch.signing import SealError, Trust, new_key

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc")
RULES = load_rules().select(ids=[profiles.RULE])
SLEEP = shutil.which("sleep") or "/bin/sleep"


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("profile")
    signer = new_key(folder / "key.pem", None)
    with Case.open(folder / "case") as case:
        waits: list[float] = []
        profiles.observe(case, RULES, 3, 0.5, waits.append)
        assert waits == [0.5, 0.5]
        yield case, signer, profiles.learn(case, signer)


def test_learning_is_sealed_journaled_and_verified(learned) -> None:
    case, signer, made = learned
    assert made.path == profile_path(case, profiles.this_host()) and made.profile.looks == 3
    found = profiles.verified(case, trust=Trust(signer.fingerprint))
    assert found.newest and found.trusted and found.sealed.profile.to_bytes() == made.profile.to_bytes()
    assert [e.event for e in case.journal.entries()].count(profiles.LEARNED) >= 1


def test_what_never_ran_here_is_found(learned, tmp_path: Path) -> None:
    case, signer, _ = learned
    copy = tmp_path / "never-ran-here"
    shutil.copy(SLEEP, copy)
    with subprocess.Popen([str(copy), "3600"]) as process:
        try:
            _, result = profiles.check(case, RULES, trust=Trust(signer.fingerprint))
        finally:
            process.kill()
    (finding,) = [f for f in result.findings if f.subject_key == str(process.pid)]
    assert finding.rule_id == profiles.RULE and "never ran here" in finding.explanation.en
    assert "deviations" in {e.table for e in finding.evidence}
    rows = [row for _, row in profiles.compared(case, result.run)]
    assert [r.kind for r in rows if r.pid == process.pid] == ["program"]


DAEMON = """
import pathlib, socket, sys, time
folder = pathlib.Path(sys.argv[1])
(folder / "runs").touch()
while not (folder / "may-listen").exists():
    time.sleep(0.05)
with socket.create_server(("", 8443)):
    (folder / "listens").touch()
    time.sleep(3600)
"""


def test_a_daemon_that_never_listened_is_found_when_it_does(tmp_path: Path) -> None:
    """In a network namespace of its own, whose sockets the host sees all the same; we are its parent."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "--net", "true"], check=False).returncode:
        pytest.skip("no network namespace can be made here")
    (program := tmp_path / "daemon.py").write_text(DAEMON)
    with (
        Case.open(tmp_path / "case") as case,
        subprocess.Popen(["unshare", "--net", sys.executable, program, tmp_path]) as daemon,
    ):
        try:
            reached(tmp_path / "runs", daemon)
            profiles.observe(case, RULES, 3, 0)
            profiles.learn(case, new_key(tmp_path / "key.pem", None))
            before = profiles.check(case, RULES)[1]
            (tmp_path / "may-listen").touch()
            reached(tmp_path / "listens", daemon)
            after = profiles.check(case, RULES)[1]
            rows = [row for _, row in profiles.compared(case, after.run) if row.pid == daemon.pid]
        finally:
            daemon.kill()
    assert [f.explanation.en for f in before.findings if f.subject_key == str(daemon.pid)] == []
    assert [(row.kind, row.program, row.usual) for row in rows] == [("listens", str(program), [])]
    (found,) = [finding for finding in after.findings if finding.subject_key == str(daemon.pid)]
    assert "8443" in found.explanation.en


def reached(place: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a process has come so far."""
    while not place.exists():
        assert process.poll() is None, "it ended"
        time.sleep(0.05)


def test_a_profile_of_before_is_told(learned) -> None:
    case, signer, made = learned
    old = made.path.read_bytes()
    profiles.observe(case, RULES, 1, 0)
    profiles.learn(case, signer)
    newest = made.path.read_bytes()
    try:
        made.path.write_bytes(old)
        assert not profiles.verified(case).newest
        with pytest.raises(CaseError) as raised:
            profiles.check(case, RULES)
        assert raised.value.code == "profile.rolled-back"
    finally:
        made.path.write_bytes(newest)


def test_another_signer_is_refused_and_a_broken_seal_is_said(learned, tmp_path: Path) -> None:
    case, _, made = learned
    other = new_key(tmp_path / "other.pem", None)
    with pytest.raises(SealError):
        profiles.verified(case, trust=Trust(other.fingerprint))
    whole = made.path.read_bytes()
    try:
        made.path.write_bytes(whole.replace(b'"profile": "e', b'"profile": "f', 1))
        (result,) = scan(case, ["/"], RULES, options=ScanOptions(files=False))
        assert any(m.area == "profile" for m in result.coverage.misses)
    finally:
        made.path.write_bytes(whole)


def test_nothing_to_learn_from(tmp_path: Path) -> None:
    with Case.open(tmp_path / "case") as case:
        with pytest.raises(UsageError):
            profiles.learn(case, new_key(tmp_path / "key.pem", None))
        with pytest.raises(UsageError):
            profiles.learn(case, new_key(tmp_path / "key2.pem", None), runs=["none"])


def test_without_a_profile_nothing_deviates() -> None:
    with socket.socket():
        assert list(Habits().deviations()) == []
