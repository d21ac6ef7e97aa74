"""Documents of each structured format, made for the tests."""

from __future__ import annotations

import json

SHA256 = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
MD5 = "acbd18db4cc2f85cedef654fccc4a4d8"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def stix2(**extra: object) -> bytes:
    objects = [
        {"type": "report", "id": "report--1", "name": "Kawara in ports", "published": "2026-02-03T00:00:00Z",
         "description": "Kawara talks to hxxp://relay[.]kawara-net[.]example/x", "object_refs": ["indicator--1"]},
        {"type": "indicator", "id": "indicator--1", "indicator_types": ["malicious-activity"], "pattern_type": "stix",
         "pattern": f"[file:hashes.'SHA-256' = '{SHA256}' OR ipv4-addr:value IN ('203.0.113.9', '198.51.100.7')]",
         "kill_chain_phases": [{"kill_chain_name": "k", "phase_name": "command-and-control"}], "confidence": 70},
        {"type": "indicator", "id": "indicator--2", "labels": ["malicious-activity"],
         "pattern": r"[file:name = 'it\'s.exe' AND file:parent_directory_ref.path = 'C:\\Users\\Public']"},
        {"type": "indicator", "id": "indicator--3", "pattern_type": "stix",
         "pattern": f"[domain-name:value != 'good.example' OR file:hashes.'SHA-256' = '{EMPTY}']"},
        {"type": "indicator", "id": "indicator--4", "revoked": True, "pattern": "[domain-name:value = 'old.example']"},
        {"type": "malware", "id": "malware--1", "name": "Kawara", "aliases": ["Roof Tile"]},
        {"type": "attack-pattern", "id": "attack-pattern--1", "name": "x",
         "external_references": [{"source_name": "mitre-attack", "external_id": "T1059.004"}]},
        {"type": "vulnerability", "id": "vulnerability--1", "name": "CVE-2026-12345"},
        {"type": "relationship", "id": "relationship--1", "relationship_type": "uses", "source_ref": "malware--1",
         "target_ref": "attack-pattern--1"},
        {"type": "observed-data", "id": "observed-data--1",
         "objects": {"0": {"type": "domain-name", "value": "Seen[.]example"}}},
    ]  # fmt: skip
    return json.dumps({"type": "bundle", "id": "bundle--1", "objects": objects, **extra}).encode()


def misp() -> bytes:
    attributes = [
        {"type": "ip-dst|port", "category": "Network activity", "value": "203.0.113.9|443", "to_ids": True},
        {"type": "filename|sha256", "category": "Payload delivery", "value": f"a.exe|{SHA256}", "to_ids": True},
        {"type": "domain", "category": "Network activity", "value": "quiet.example", "to_ids": False},
        {"type": "link", "category": "External analysis", "value": "https://vendor.example/blog", "to_ids": False},
        {"type": "sha256", "category": "Payload delivery", "value": EMPTY, "to_ids": True},
        {"type": "domain", "value": "gone.example", "to_ids": True, "deleted": True},
        {"type": "comment", "value": "It also exploits CVE-2026-11111."},
    ]
    return json.dumps(
        {"Event": {
            "info": "Kawara campaign", "date": "2026-02-03", "Attribute": attributes,
            "Object": [{"name": "file", "Attribute": [{"type": "md5", "category": "Payload delivery", "value": MD5, "to_ids": "1"}]}],
            "Tag": [{"name": 'misp-galaxy:mitre-attack-pattern="Unix Shell - T1059.004"'}],
            "Galaxy": [{"type": "threat-actor", "GalaxyCluster": [{"value": "Slate Panda", "meta": {"synonyms": ["UNC7"]}}]}],
        }}
    ).encode()  # fmt: skip


def openioc(extra: str = "") -> bytes:
    return f"""<?xml version="1.0" encoding="utf-8"?>
<ioc xmlns="http://schemas.mandiant.com/2010/ioc" id="1"><short_description>Kawara</short_description>
<description>It also talks to relay[.]kawara-net[.]com.</description><authored_date>2026-02-03T00:00:00</authored_date>
<definition><Indicator operator="OR" id="2">
<IndicatorItem condition="is"><Context document="FileItem" search="FileItem/Md5sum" type="mir"/><Content type="md5">{MD5}</Content></IndicatorItem>
<IndicatorItem condition="contains"><Context search="FileItem/FileName"/><Content type="string">rooftile</Content></IndicatorItem>
<IndicatorItem condition="isnot"><Context search="Network/DNS"/><Content type="string">good.example</Content></IndicatorItem>
<IndicatorItem condition="is"><Context search="Network/DNS"/><Content type="string">bad.example</Content></IndicatorItem>
{extra}</Indicator></definition></ioc>""".encode()


def stix1() -> bytes:
    return f"""<?xml version="1.0"?>
<stix:STIX_Package xmlns:stix="http://stix.mitre.org/stix-1" xmlns:indicator="http://stix.mitre.org/Indicator-2"
 xmlns:cybox="http://cybox.mitre.org/cybox-2" xmlns:cyboxCommon="http://cybox.mitre.org/common-2" xmlns:ttp="http://stix.mitre.org/TTP-1"
 xmlns:AddressObj="http://cybox.mitre.org/objects#AddressObject-2" xmlns:FileObj="http://cybox.mitre.org/objects#FileObject-2"
 xmlns:DomainNameObj="http://cybox.mitre.org/objects#DomainNameObject-1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" timestamp="2014-02-20T09:00:00Z">
 <stix:STIX_Header><stix:Title>Kawara watch</stix:Title><stix:Description>Seen with CVE-2014-99991.</stix:Description></stix:STIX_Header>
 <stix:Indicators><stix:Indicator><indicator:Title>addresses</indicator:Title><indicator:Observable><cybox:Object>
  <cybox:Properties xsi:type="AddressObj:AddressObjectType" category="ipv4-addr"><AddressObj:Address_Value condition="Equals" apply_condition="ANY">203.0.113.9##comma##198.51.100.7</AddressObj:Address_Value></cybox:Properties></cybox:Object></indicator:Observable></stix:Indicator>
 <stix:Indicator><indicator:Observable><cybox:Object><cybox:Properties xsi:type="FileObj:FileObjectType"><FileObj:Hashes><cyboxCommon:Hash>
  <cyboxCommon:Type>SHA256</cyboxCommon:Type><cyboxCommon:Simple_Hash_Value condition="Equals">{SHA256}</cyboxCommon:Simple_Hash_Value></cyboxCommon:Hash></FileObj:Hashes></cybox:Properties></cybox:Object></indicator:Observable></stix:Indicator></stix:Indicators>
 <stix:Observables><cybox:Observable><cybox:Object><cybox:Properties xsi:type="DomainNameObj:DomainNameObjectType"><DomainNameObj:Value>seen.example</DomainNameObj:Value></cybox:Properties></cybox:Object></cybox:Observable></stix:Observables>
 <stix:TTPs><stix:TTP><ttp:Behavior><ttp:Malware><ttp:Malware_Instance><ttp:Name>Kawara</ttp:Name></ttp:Malware_Instance></ttp:Malware></ttp:Behavior></stix:TTP></stix:TTPs>
</stix:STIX_Package>""".encode()


def csaf() -> bytes:
    version = {
        "category": "product_version_range",
        "name": "vers:generic/>=2.0|<2.17.1",
        "product": {"product_id": "A", "name": "x"},
    }
    fixed = {"category": "product_version", "name": "2.17.1", "product": {"product_id": "B", "name": "y"}}
    return json.dumps(
        {
            "document": {"csaf_version": "2.0", "title": "Roof Server: remote code", "tracking": {"id": "X-1", "initial_release_date": "2026-02-03T00:00:00Z"}},
            "product_tree": {"branches": [{"category": "vendor", "name": "Roof", "branches": [
                {"category": "product_name", "name": "Roof Server", "branches": [version, fixed]}]}]},
            "vulnerabilities": [{"cve": "CVE-2026-22222", "product_status": {"known_affected": ["A", "Z"], "fixed": ["B"]},
                "remediations": [{"category": "vendor_fix", "details": "Update Roof Server to 2.17.1."}]}],
        }
    ).encode()  # fmt: skip


CSV = f"""# a feed
type,value,role,confidence,comment
ip,203.0.113[.]9,c2,90,"seen in ports"
SHA256,{SHA256},,,
domain,not a domain,,,
""".encode()
JSON = json.dumps(
    {"indicators": [{"type": "domain", "value": "bad[.]example"}, {"type": "md5", "value": MD5}]}
).encode()
