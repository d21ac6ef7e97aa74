"""Whole replicas: renamed implants are found by what they do, honest look-alikes are left alone."""

from __future__ import annotations

import pytest

from hinomi.examples.names import names
from hinomi.examples.replica import compromised_tree, vendor_tree
from hinomi.model.findings import severity_rank

# What the appliance's implants do, and how severe it is at least.
APPLIANCE = {
    "mutual-watchdog": "high",
    "firmware-repack": "critical",
    "script-adds-root-account": "critical",
    "second-uid0-account": "high",
    "credential-query-script": "high",
    "text-file-named-database": "medium",
    "script-patches-binary": "high",
    "remote-shell-program-started": "high",
    "unauthenticated-remote-shell-program": "high",
    "boot-starts-backdoor-script": "high",
    "timed-callback": "medium",
}


@pytest.mark.parametrize("seed", range(21))
def test_every_behaviour_of_a_renamed_appliance_is_found(seed: int, scan) -> None:
    chosen = names(seed)
    findings = scan(compromised_tree(seed), only=APPLIANCE)
    found = {rule: max(severity_rank(f.severity) for f in findings if f.rule_id == rule) for rule in _rules(findings)}
    assert {rule: found.get(rule) for rule in APPLIANCE if found.get(rule, -1) < severity_rank(APPLIANCE[rule])} == {}
    assert {f.subject_key for f in findings if f.rule_id == "mutual-watchdog"} == {
        f"{chosen.folder}/{chosen.main}", f"{chosen.folder}/{chosen.twin}",
    }  # fmt: skip
    assert {f.subject_key for f in findings if f.rule_id == "second-uid0-account"} == {chosen.account}


@pytest.mark.parametrize("seed", [0, 12])
def test_the_vendors_own_appliance_is_clean(seed: int, scan) -> None:
    assert _at_least(scan(vendor_tree(names(seed))), "medium") == []


@pytest.mark.parametrize("seed", [0, 7])
def test_one_appliance_tells_one_story_that_needs_no_name(seed: int, scan) -> None:
    findings = scan(compromised_tree(seed))
    severe = _at_least(findings, "high")
    assert len({f.story for f in severe}) == 1
    assert severe[0].story
    by_name = {"daemon-name-worn", "boot-script-among-native-daemons", "hidden-folder-autostart"}
    assert _rules(findings) - by_name - {"program-calls-unowned-script", "tinyshell"} == set(APPLIANCE)


@pytest.mark.parametrize("number", range(4))
def test_windows_threats_under_any_name(number: int, scan, replica) -> None:
    desktops, office = replica("desktops"), replica("office")
    chosen = (desktops.PUBLISHED, *desktops.RENAMED)[number]
    workbook = office.xlsm({"ThisWorkbook": desktops.startup_macro()})
    severe = _severe(scan(desktops.windows_startup(chosen, workbook) | desktops.windows_backdoor(chosen)))
    assert {"office-macro-dropper", "startup-folder-program", "false-dll-data", "powershell-dropper"} <= severe


@pytest.mark.parametrize("number", range(4))
def test_linux_and_npm_threats_under_any_name(number: int, scan, replica) -> None:
    desktops = replica("desktops")
    chosen = (desktops.PUBLISHED, *desktops.RENAMED)[number]
    severe = _severe(scan(desktops.linux_backdoor(chosen) | desktops.npm_package(chosen)))
    assert {"hidden-folder-autostart", "npm-install-runs-payload", "mislabelled-program"} <= severe


@pytest.mark.parametrize("number", [0, 2])
def test_macos_threat_under_any_name(number: int, scan, replica) -> None:
    desktops = replica("desktops")
    chosen = (desktops.PUBLISHED, *desktops.RENAMED)[number]
    assert "launch-agent-apple-label" in _severe(scan(desktops.macos_backdoor(chosen)))


def test_old_log4j_without_a_telling_name(scan, replica) -> None:
    findings = _at_least(scan(replica("log4shell").server("2.14")), "high")
    assert any("shop.war" in f.subject_key for f in findings)


def test_one_fix_short_is_still_a_finding_and_the_last_fix_is_not(scan, replica) -> None:
    log4shell = replica("log4shell")
    assert any("44832" in f.rule_id for f in scan(log4shell.server("2.17.0")))
    assert not any("44228" in f.rule_id or "44832" in f.rule_id for f in scan(log4shell.server("2.17.1")))


LOOKALIKES = (
    "firewalld from its package",
    "one-way watchdogs and health checks",
    "image and firmware builders",
    "database jobs",
    "rotation, accounts and updates",
    "Windows start menu",
    "macOS agents",
    "npm packages",
    "cron at reboot",
    "supervisors and agents",
    "a system built from nothing",
)


@pytest.mark.parametrize("name", LOOKALIKES)
def test_honest_lookalikes_stay_below_medium(name: str, scan, replica) -> None:
    trees = replica("lookalikes").lookalikes()
    assert set(trees) == set(LOOKALIKES)
    assert _at_least(scan(trees[name]), "medium") == []


def _at_least(findings, severity: str) -> list:
    return [f for f in findings if severity_rank(f.severity) >= severity_rank(severity)]


def _severe(findings) -> set[str]:
    return _rules(_at_least(findings, "high"))


def _rules(findings) -> set[str]:
    return {f.rule_id for f in findings}
