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
    findings = scan(compromised_tree(seed))
    found = {rule: max(severity_rank(f.severity) for f in findings if f.rule_id == rule) for rule in _rules(findings)}
    assert {rule: found.get(rule) for rule in APPLIANCE if found.get(rule, -1) < severity_rank(APPLIANCE[rule])} == {}
    assert {f.subject_key for f in findings if f.rule_id == "mutual-watchdog"} == {
        f"{chosen.folder}/{chosen.main}", f"{chosen.folder}/{chosen.twin}",
    }  # fmt: skip
    assert {f.subject_key for f in findings if f.rule_id == "second-uid0-account"} == {chosen.account}


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_one_appliance_tells_one_story(seed: int, scan) -> None:
    findings = scan(compromised_tree(seed))
    severe = [f for f in findings if severity_rank(f.severity) >= severity_rank("high")]
    assert len({f.story for f in severe}) == 1
    assert severe[0].story


@pytest.mark.parametrize("seed", [0, 3, 12])
def test_the_vendors_own_appliance_is_clean(seed: int, scan) -> None:
    assert _at_least(scan(vendor_tree(names(seed))), "medium") == []


def test_no_rule_needs_a_published_name(scan) -> None:
    published, renamed = (_rules(scan(compromised_tree(seed))) for seed in (0, 5))
    assert published - renamed <= {"daemon-name-worn", "boot-script-among-native-daemons"}


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize(
    ("builder", "rule"),
    [
        ("linux_backdoor", "hidden-folder-autostart"),
        ("macos_backdoor", "launch-agent-apple-label"),
        ("npm_package", "npm-install-runs-payload"),
        ("npm_package", "mislabelled-program"),
        ("windows_backdoor", "false-dll-data"),
        ("windows_backdoor", "powershell-dropper"),
    ],
)
def test_desktop_threats_under_any_name(builder: str, rule: str, number: int, scan, replica) -> None:
    desktops = replica("desktops")
    chosen = (desktops.PUBLISHED, *desktops.RENAMED)[number]
    found = {f.rule_id: f.severity for f in scan(getattr(desktops, builder)(chosen))}
    assert found.get(rule) in ("high", "critical"), found


@pytest.mark.parametrize("number", range(4))
def test_a_macro_and_what_it_put_into_the_startup_folder(number: int, scan, replica) -> None:
    desktops, office = replica("desktops"), replica("office")
    chosen = (desktops.PUBLISHED, *desktops.RENAMED)[number]
    workbook = office.xlsm({"ThisWorkbook": desktops.startup_macro()})
    found = {f.rule_id: f.severity for f in scan(desktops.windows_startup(chosen, workbook))}
    assert found["office-macro-dropper"] == "critical"
    assert found["startup-folder-program"] in ("high", "critical")


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


def _rules(findings) -> set[str]:
    return {f.rule_id for f in findings}
