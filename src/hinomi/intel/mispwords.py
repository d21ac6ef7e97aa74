"""MISP's words for values, shared by reading and writing. Source: the MISP core format (IETF draft, misp-rfc)."""

from __future__ import annotations

from hinomi.model.claims import ClaimType

TYPES: dict[str, ClaimType | None] = {
    "ip-src": None, "ip-dst": None, "ip": None,
    "domain": "domain", "hostname": "domain", "url": "url", "uri": None, "link": "url",
    "email": "email", "email-src": "email", "email-dst": "email", "email-reply-to": "email", "md5": "md5",
    "sha1": "sha1", "sha256": "sha256", "sha512": "sha512", "ssdeep": "ssdeep", "imphash": "imphash", "tlsh": "tlsh",
    "filename": "filename", "filepath": "filepath", "regkey": "registry-key", "mutex": "mutex",
    "named pipe": "pipe", "user-agent": "user-agent", "http-user-agent": "user-agent", "vulnerability": "cve",
    "ja3-fingerprint-md5": "ja3", "jarm-fingerprint": "jarm", "btc": "wallet", "xmr": "wallet", "AS": "asn",
    "windows-service-name": "service", "windows-scheduled-task": "task", "threat-actor": "actor",
    "campaign-name": "campaign", "malware-type": "malware", "target-location": "country", "github-username": "account",
    "weakness": None,
}  # fmt: skip
"""MISP attribute type -> claim type (None: the value decides)."""
COMPOUND: dict[str, list[str]] = {"malware-sample": ["filename", "md5"], "attachment": ["filename"]}
"""Attribute types that are two in one, without saying so."""
PROSE = frozenset({"text", "comment", "other"})
GALAXIES: dict[str, ClaimType] = {
    "threat-actor": "actor", "mitre-intrusion-set": "actor", "microsoft-activity-group": "actor",
    "mitre-malware": "malware", "malpedia": "malware", "ransomware": "malware", "rat": "malware", "backdoor": "malware",
    "stealer": "malware", "botnet": "malware", "banker": "malware", "android": "malware", "tool": "tool",
    "mitre-tool": "tool", "sector": "sector", "country": "country", "mitre-campaign": "campaign",
}  # fmt: skip
"""Galaxy type -> claim type of its clusters."""
TECHNIQUES = frozenset({"mitre-attack-pattern", "mitre-mobile-attack-attack-pattern", "mitre-ics-techniques"})

ATTRIBUTES: dict[ClaimType, tuple[str, str]] = {
    "ipv4": ("ip-dst", "Network activity"), "ipv6": ("ip-dst", "Network activity"),
    "cidr": ("ip-dst", "Network activity"), "domain": ("domain", "Network activity"),
    "url": ("url", "Network activity"), "email": ("email", "Payload delivery"), "md5": ("md5", "Payload delivery"),
    "sha1": ("sha1", "Payload delivery"), "sha256": ("sha256", "Payload delivery"),
    "sha512": ("sha512", "Payload delivery"), "ssdeep": ("ssdeep", "Payload delivery"),
    "imphash": ("imphash", "Payload delivery"), "tlsh": ("tlsh", "Payload delivery"),
    "filename": ("filename", "Payload delivery"), "filepath": ("filename", "Artifacts dropped"),
    "registry-key": ("regkey", "Persistence mechanism"), "mutex": ("mutex", "Artifacts dropped"),
    "pipe": ("named pipe", "Artifacts dropped"), "user-agent": ("user-agent", "Network activity"),
    "cve": ("vulnerability", "External analysis"), "ja3": ("ja3-fingerprint-md5", "Network activity"),
    "jarm": ("jarm-fingerprint", "Network activity"), "service": ("windows-service-name", "Artifacts dropped"),
    "task": ("windows-scheduled-task", "Artifacts dropped"), "asn": ("AS", "Network activity"),
    "actor": ("threat-actor", "Attribution"), "campaign": ("campaign-name", "Attribution"),
    "malware": ("malware-type", "Payload delivery"), "mitigation": ("comment", "Other"),
}  # fmt: skip
"""Claim type -> MISP attribute type and its category."""
