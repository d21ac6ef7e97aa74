"""Lists are read with the names, roles and remarks of their rows, and are titled by themselves or their file."""

from __future__ import annotations

import json

from hinomi.intel.read import read_report
from hinomi.model.claims import Report

HASH = "3b5d5c3712955042212316173ccf37be800ff6a3b5d5c3712955042212316173"


def values(report: Report) -> set[tuple[str, str, str]]:
    return {(c.type, c.value, c.role) for c in report.claims}


def test_a_list_is_titled_by_its_file_and_never_by_an_entry() -> None:
    report = read_report("in/iocs.csv", f"malware,sha256,c2\nKawaraShell,{HASH},45.0.2.7\n".encode())
    assert report.title == "iocs.csv"
    assert values(report) == {
        ("malware", "KawaraShell", "mentioned"), ("sha256", HASH, "sample"),
        ("ipv4", "45.0.2.7", "command-and-control"),
    }  # fmt: skip


def test_a_title_line_before_the_header_is_the_title() -> None:
    report = read_report("a.csv", "# 瓦の通信先一覧\n種別,値\nドメイン,bad[.]example\n".encode("cp932"))
    assert report.title == "瓦の通信先一覧"


def test_what_heads_a_list_is_read() -> None:
    pulse = {
        "name": "Roof tiles", "description": "They used CVE-2021-44228.", "created": "2024-05-01T10:00:00",
        "adversary": "Kawara Group", "malware_families": ["KawaraShell"], "attack_ids": ["T1190"],
        "references": ["https://news.example/a"], "indicators": [{"indicator": "45.0.2.7", "type": "IPv4"}],
    }  # fmt: skip
    report = read_report("p.json", json.dumps({"results": [pulse]}).encode())
    assert (report.title, report.published) == ("Roof tiles", "2024-05-01")
    assert values(report) >= {
        ("actor", "Kawara Group", "mentioned"), ("malware", "KawaraShell", "mentioned"),
        ("attack-technique", "T1190", "mentioned"), ("cve", "CVE-2021-44228", "mentioned"),
        ("ipv4", "45.0.2.7", "malicious"),
    }  # fmt: skip
    assert "https://news.example/a" in report.text
    assert not [c for c in report.claims if c.type == "url"]


def test_no_name_is_no_name() -> None:
    rows = "malware,ip\nUnknown malware,45.0.2.7\nN/A,45.0.2.8\n不明,45.0.2.9\n"
    report = read_report("a.csv", rows.encode())
    assert {c.type for c in report.claims} == {"ipv4"}


def test_indicators_in_columns_of_other_names_are_not_lost() -> None:
    report = read_report("a.csv", f"sha256,remark on it\n{HASH},contacts hxxp://bad[.]example/x\n".encode())
    assert ("url", "http://bad.example/x") in {(c.type, c.value) for c in report.claims}


def test_roles_come_from_the_words_of_a_row() -> None:
    rows = (
        "ioc_value,ioc_type,threat_type\n45.0.2.7:443,ip:port,botnet_cc\nbad.example,domain,payload_delivery\n"
        "odd.example,domain,\n"
    )
    report = read_report("a.csv", rows.encode())
    roles = {c.value: c.role for c in report.claims if c.type in ("ipv4", "domain")}
    assert roles == {"45.0.2.7": "command-and-control", "bad.example": "delivery", "odd.example": "malicious"}


def test_words_below_a_table_are_not_lost() -> None:
    rows = "type,value\nip,45.0.2.7\nip,45.0.2.8\nThe loader also talks to hxxp://bad[.]example/x\n"
    report = read_report("a.csv", rows.encode())
    assert report.media_type == "text/csv"
    assert {c.value for c in report.claims} >= {"45.0.2.7", "45.0.2.8", "http://bad.example/x"}
