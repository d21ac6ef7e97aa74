"""The two real reports give the claims that a reader takes from them. Skipped where they are not at hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from hinomi.intel.read import read_report
from hinomi.model.claims import Claim, Report

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "reports"


@cache
def report(number: str) -> Report:
    found = sorted(FOLDER.glob(f"{number}_*.txt"))
    if not found:
        pytest.skip("the real reports are not beside this checkout")
    return read_report(found[0].name, found[0].read_bytes())


def values(number: str, kind: str) -> set[str]:
    return {c.value for c in report(number).claims if c.type == kind}


def canonical(number: str, kind: str) -> set[str]:
    return {c.canonical or c.value for c in report(number).claims if c.type == kind}


def one(number: str, kind: str, value: str) -> Claim:
    return next(c for c in report(number).claims if (c.type, c.value) == (kind, value))


@pytest.mark.parametrize("name", ["firewalld", "iptabled", "ifconfig6", "ipconfig6", "firebased", "geoBotnetd"])
def test_appliance_files_are_malicious(name: str) -> None:
    assert one("000", "filename", name).role == "malicious"


def test_appliance_artefacts_know_how() -> None:
    assert one("000", "filename", "iptabled").attributes["copy_of"] == "firewalld"
    assert one("000", "filename", "firebased").attributes["how"] == "patched-legitimate"
    assert one("000", "filename", "rc.local").role == "mentioned"
    assert one("000", "account", "acme").attributes["privileged"] is True
    assert one("000", "filepath", "/cf/FIRMWARE/NEW/INITRD.GZ").attributes["how"] == "upgrade-path"


def test_appliance_version_is_bound_and_no_address() -> None:
    fixed = one("000", "fixed-version", "10.2.1.7")
    assert (fixed.attributes["product"], fixed.attributes["operator"]) == ("SonicWall SMA 100", ">=")
    assert values("000", "ipv4") == set()
    assert values("000", "fixed-version") == {"10.2.1.7"}


def test_appliance_names() -> None:
    assert canonical("000", "malware") == {"TinyShell"}
    assert canonical("000", "actor") == set()
    assert canonical("000", "country") == {"China"}


def test_appliance_behaviours() -> None:
    assert values("000", "behaviour") >= {
        "mutual-watchdog", "boot-persistence", "firmware-repack", "backdoor-account", "uid0-account",
        "credential-query",
        "vendor-binary-patched", "reverse-shell", "hard-coded-c2", "timed-callback", "backdoor-program", "self-copy",
        "hash-cracking", "survives-upgrade", "phishing",
    }  # fmt: skip


def test_appliance_steps() -> None:
    steps = [c for c in report("000").claims if c.type == "mitigation"]
    assert any(
        c.attributes.get("product") == "SonicWall SMA 100" and "10.2.1.7" in c.attributes["versions"] for c in steps
    )
    assert any("educate" in c.attributes.get("actions", ()) for c in steps)


def test_digest_names() -> None:
    assert canonical("003", "malware") == {
        "njRAT", "HabitsRAT", "Webtoos", "CharmPower", "Flagpro", "SelfMake Loader", "Spider RAT", "SysJoker",
    }  # fmt: skip
    assert canonical("003", "actor") == {"Magic Hound", "Aquatic Panda", "BlackTech"}
    assert "Log4Shell" in canonical("003", "cve")


def test_digest_versions_by_branch() -> None:
    fixed = {
        (c.value, c.attributes["branch"], c.attributes["product"])
        for c in report("003").claims
        if c.type == "fixed-version"
    }
    assert fixed == {
        ("2.3.2", "Java 6", "Apache Log4j"), ("2.12.4", "Java 7", "Apache Log4j"),
        ("2.17.1", "Java 8+", "Apache Log4j"),
    }  # fmt: skip


def test_digest_sectors_and_countries() -> None:
    assert canonical("003", "sector") == {"defense", "media", "telecommunications", "education"}
    assert canonical("003", "country") == {"Japan", "Iran"}


def test_digest_behaviours() -> None:
    assert values("003", "behaviour") >= {
        "exploits-public-service", "vulnerability-scanning", "ddos-capability", "powershell-toolkit",
        "command-execution",
        "linux-commands-on-windows", "disables-security-tool", "spearphishing-attachment", "protected-archive",
        "office-macro-dropper", "startup-folder-persistence", "second-stage-download", "credential-collection",
        "dialog-closing", "malicious-package", "self-copy", "hidden-folder", "system-discovery", "encoded-data-file",
        "update-masquerade", "dead-drop-resolver", "hard-coded-c2", "self-delete", "lateral-movement", "ransomware",
        "vulnerable-library", "jndi-injection", "exposed-service", "weak-password",
    }  # fmt: skip


def test_digest_steps_speak_of_their_threat() -> None:
    steps = [c for c in report("003").claims if c.type == "mitigation"]
    assert any(c.attributes.get("threats") == ["SysJoker"] and "remove" in c.attributes["actions"] for c in steps)
    assert sum("Apache Log4j" in c.attributes.get("products", ()) for c in steps) >= 2


def test_digest_relations() -> None:
    claims = {c.id: c.canonical or c.value for c in report("003").claims}
    links = {(claims[r.from_id], r.type, claims[r.to_id]) for r in report("003").relations}
    assert {
        ("BlackTech", "uses", "Flagpro"), ("Magic Hound", "exploits", "Log4Shell"), ("Flagpro", "targets", "defense"),
        ("Magic Hound", "originates-from", "Iran"), ("BlackTech", "uses", "Spider RAT"),
    } <= links  # fmt: skip
