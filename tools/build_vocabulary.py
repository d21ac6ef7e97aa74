"""Build `src/hinomi/intel/vocabulary/names.tsv.gz` from MISP galaxy's clusters.

Run: `python tools/build_vocabulary.py CLUSTERS_FOLDER OUT_FOLDER`, where CLUSTERS_FOLDER is `clusters/` of
misp-galaxy (the `pymispgalaxies` wheel carries a copy). MISP galaxy is dual-licensed CC0-1.0 / BSD-2-Clause.
`wordfreq` (Apache-2.0; only needed here) says which names are ordinary English words: those are marked `?` and count
only beside a cue. ATT&CK's own name is the canonical one where there is one.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# In order of authority: the first to name a thing gives its canonical name and kind.
CLUSTERS: tuple[tuple[str, str], ...] = (
    ("mitre-intrusion-set", "actor"),
    ("mitre-malware", "malware"),
    ("mitre-tool", "tool"),
    ("mitre-ics-software", "malware"),
    ("mitre-mobile-attack-malware", "malware"),
    ("threat-actor", "actor"),
    ("microsoft-activity-group", "actor"),
    ("malpedia", "malware"),
    ("ransomware", "malware"),
    ("rat", "malware"),
    ("backdoor", "malware"),
    ("botnet", "malware"),
    ("banker", "malware"),
    ("stealer", "malware"),
    ("cryptominers", "malware"),
    ("exploit-kit", "malware"),
    ("tool", "malware"),
    ("android", "malware"),
)
# Programs of the system or of honest vendors: named in reports all the time, malicious only by use.
_HONEST = frozenset(
    "teamviewer anydesk vnc realvnc tightvnc ultravnc logmein screenconnect connectwise splashtop dameware radmin "
    "remoteutilities "
    "atera rustdesk supremo netsupport netsupportmanager psexec rclone ngrok filezilla winscp putty procdump "
    "processhacker nmap "
    "advancedipscanner megasync 7zip winrar curl wget quickassist meshagent action1 simplehelp dwagent ammyyadmin "
    "nircmd metasploit metasploitframework meterpreter autoit autohotkey zlib nsis upx kixtart sysinternals "
    "wireshark burpsuite sqlmap masscan".split()
)
_SYSTEM = frozenset(
    "net ipconfig ifconfig schtasks cmd reg at ping netstat nbtstat arp systeminfo tasklist certutil dsquery nltest "
    "route esentutl "
    "ftp bitsadmin cipher wevtutil netsh utilman sihost whoami wmic rundll32 regsvr32 mshta attrib tar cron".split()
)
# Tidal's lists repeat ATT&CK and have no licence of their own: not used.
_MALWARE_LISTS = frozenset({"malpedia", "rat", "ransomware", "stealer", "backdoor", "botnet", "banker"})
_GENERIC = frozenset(
    "backdoor trojan rat ransomware malware downloader dropper loader worm virus botnet bot stealer keylogger "
    "rootkit spyware "
    "adware banker miner cryptominer wiper exploit implant shellcode payload android windows linux macos java python "
    "office word "
    "excel chrome firefox telegram signal whatsapp dropbox github google gmail facebook twitter slack discord skype "
    "zoom microsoft "
    "apple adobe oracle cisco vmware citrix fortinet ivanti sonicwall apache tomcat log4j wordpress docker "
    "kubernetes bitcoin monero "
    "ethereum vpn dns http https ftp ssh smb rdp tcp udp icmp powershell cmd bash script shell agent server client "
    "proxy tunnel scanner "
    "hacker hackers group team unknown unnamed generic other various none default test sample crypto cryptocurrency "
    "anonymous locker "
    "encryptor decryptor file files email mail web website domain url service services system systems user users "
    "password admin "
    "administrator remote control network security update updater installer browser config server1 china russia iran "
    "korea north apt "
    "ddos phishing attack attacker operation campaign tool tools kit framework toolkit netcat module modular plugin "
    "first second stage "
    "state government military hunter cyber internet panda kitten bear spider typhoon blizzard sandstorm sleet "
    "infostealer ps1 winapi dll "
    "exe macos x linux64 operator operators intel amd ubuntu debian redhat nemesis1 desktop mobile phone sms data "
    "cloud storage".split()
)
_AV_NAME = re.compile(
    r"(?i)[.:/](?:win32|w32|win64|gen|heur|linux|androidos|msil|vbs|js|a)\b|^(?:win32|w32|troj|gen|bkdr|tspy)[./_:]"
)
_TRAILING = re.compile(r"\s*(?:\([^()]*\)|- [GST]\d{4}(?:\.\d{3})?|- MOB-\w+)\s*$")
_SUFFIX = re.compile(
    r"(?i)\s+(?:ransomware|malware|trojan|botnet|backdoor|virus|stealer|exploit kit|locker ransomware)$"
)

_GROUP = re.compile(r"(?i)\s+(?:group|team|gang|apt)$")
_RAT = re.compile(r"\s+RAT$")


@dataclass
class Entry:
    """One named thing: kind, canonical name, ATT&CK id, every form it is written in."""

    kind: str
    canonical: str
    attack: str = ""
    forms: dict[str, str] = field(default_factory=dict)  # compact key -> form


def compact(text: str) -> str:
    """Return the form names are compared in: NFKC, case folded, letters and digits alone."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def clean(name: str) -> str:
    """Drop ids and remarks that follow a name: `njRAT - S0385`, `Cobalt (group)`."""
    return _TRAILING.sub("", _TRAILING.sub("", name.strip())).strip()


def usable(name: str) -> bool:
    """Whether a form can be looked for in text at all."""
    key = compact(name)
    if len(key) < 3 or key.isdigit() or key in _GENERIC or len(name) > 40 or len(name.split()) > 5:
        return False
    if all(compact(word) in _GENERIC for word in name.split()) or re.match(
        r"(?i)(?:win|elf|osx|apk|js|py|ps1)\.|[GS]\d{4}$", name
    ):
        return False
    if _AV_NAME.search(name) or re.match(r"(?i)unidentified|unnamed|.*\bunknown\b", name):
        return False
    return name.isprintable() and "|" not in name and not re.search(r"[\"\\<>;,@]", name)


def forms_of(value: dict[str, Any]) -> Iterator[str]:
    """Yield the name, its synonyms, and each without a trailing class word (`Ryuk ransomware` -> `Ryuk`)."""
    names = [value["value"], *value.get("meta", {}).get("synonyms", [])]
    for name in names:
        for part in re.split(r"\s*/\s+|\s+/\s*", clean(str(name))):
            if usable(part):
                yield part
            for suffix in (_SUFFIX, _GROUP, _RAT):
                short = suffix.sub("", part)
                if short != part and usable(short):
                    yield short


def merge(folder: Path) -> list[Entry]:
    """Read the clusters in order of authority and join what carries the same name."""
    entries: list[Entry] = []
    owners: dict[tuple[str, str], Entry] = {}
    for cluster, kind in CLUSTERS:
        values = json.loads((folder / f"{cluster}.json").read_text("utf-8"))["values"]
        for value in sorted(values, key=lambda v: str(v["value"])):
            _add(value, kind, cluster, entries, owners)
    return entries


def _side(kind: str) -> str:
    return "actor" if kind == "actor" else "software"


def _add(
    value: dict[str, Any], kind: str, cluster: str, entries: list[Entry], owners: dict[tuple[str, str], Entry]
) -> None:
    forms = list(dict.fromkeys(forms_of(value)))
    if not forms:
        return
    name = clean(str(value["value"]))
    primary = compact(_RAT.sub("", _SUFFIX.sub("", name)))
    entry = owners.get((_side(kind), compact(name))) or owners.get((_side(kind), primary))
    if entry is None:
        canonical = name if usable(name) else forms[0]
        attack = str(value.get("meta", {}).get("external_id", "")) if cluster.startswith("mitre") else ""
        honest = any(compact(form) in _HONEST or compact(form) in _SYSTEM for form in forms)
        entry = Entry("tool" if honest else kind, canonical, attack if re.fullmatch(r"[GS]\d{4}", attack) else "")
        entries.append(entry)
    elif entry.kind == "tool" and cluster in _MALWARE_LISTS and compact(entry.canonical) not in _HONEST | _SYSTEM:
        entry.kind = "malware"  # ATT&CK calls Remcos a tool; those who name malware do not
    for form in forms:
        key = compact(form)
        if (_side(kind), key) not in owners:
            owners[_side(kind), key] = entry
            entry.forms[key] = form


def mark(name: str, frequency: Callable[[str], float]) -> str:
    """Return `??` for the commonest words, `?` for words, common phrases and very short forms, else nothing."""
    if not ordinary(name, frequency):
        return ""
    return "??" if len(name.split()) == 1 and frequency(compact(name)) >= 4.9 else "?"


def ordinary(name: str, frequency: Callable[[str], float]) -> bool:
    """Whether a form is also a word, a common phrase or too short to stand alone."""
    key = compact(name)
    if key in _SYSTEM:
        return True
    if not name.isascii():
        return len(key) < 3
    words = re.findall(r"[a-z]+|[0-9]+", key if len(name.split()) == 1 else name.casefold())
    if len(name.split()) > 1:
        known = [frequency(word) for word in words if not word.isdigit()]
        return min(known, default=9.0) >= 3.3 and sum(known) / max(1, len(known)) >= 4.55
    if any(character.isdigit() for character in key):
        return len(key) < 4
    return len(key) <= 3 or frequency(key) >= 2.2


def write_names(entries: list[Entry], path: Path, frequency: Callable[[str], float]) -> None:
    """Write one line an entry: kind, canonical, ATT&CK id, forms (`?` marks an ordinary word)."""
    lines = ["# kind\tcanonical\tattack\tforms; from MISP galaxy (CC0-1.0), see NOTICE.md"]
    for entry in sorted(entries, key=lambda e: (e.kind, e.canonical.casefold(), e.canonical)):
        forms = [mark(form, frequency) + form for form in entry.forms.values()]
        if forms:
            lines.append("\t".join((entry.kind, entry.canonical, entry.attack, "|".join(forms))))
    data = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(data, 9, mtime=0))


def main() -> None:
    """Build the file."""
    from wordfreq import zipf_frequency

    clusters, out = Path(sys.argv[1]), Path(sys.argv[2])
    entries = merge(clusters)
    write_names(entries, out / "names.tsv.gz", lambda word: float(zipf_frequency(word, "en")))
    print(f"{len(entries)} entries, {sum(len(e.forms) for e in entries)} forms")


if __name__ == "__main__":
    main()
