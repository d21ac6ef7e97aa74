"""Which operating systems a passage speaks of: a technique that only another one has is not what it means."""

from __future__ import annotations

from collections.abc import Collection

from hinomi.intel.extractor import ReadingContext
from hinomi.intel.literals import any_within
from hinomi.intel.names.words import words_of
from hinomi.model.claims import Span

_WORDS = {
    "Windows": "windows win32 win64 exe dll powershell hklm hkcu regedit lsass rundll32 svchost appdata programdata "
    "xlsm docm vbs msi lnk schtasks wscript mshta",
    "Unix": "linux unix macos osx freebsd esxi bash crontab systemd systemctl elf ubuntu debian centos rhel launchd "
    "launchctl launchagents launchdaemons plist sudo chmod busybox initrd sh rc init",
}
_FAMILIES = {"Windows": "Windows", "Linux": "Unix", "macOS": "Unix", "ESXi": "Unix", "Network Devices": "Unix"}
_KEPT = "_system_places"


def speaks_of(context: ReadingContext, sentence: Span, platforms: Collection[str]) -> bool:
    """Whether a sentence may mean a technique of `platforms`: its own words decide, else those of its article.

    A passage that names no system, or several, may mean any.
    """
    families = {_FAMILIES.get(platform, "") for platform in platforms}
    if "" in families or len(families) != 1:
        return True
    article = context.article_at(sentence[0])
    for start, end in (sentence, context.sections[article].span if article is not None else (0, len(context.text))):
        named = {family for family, places in _places(context).items() if any_within(places, start, end)}
        if len(named) == 1:
            return named == families
        if named:
            return True
    return True


def _places(context: ReadingContext) -> dict[str, list[int]]:
    """Where the words of each family stand; kept with the context, as its words are."""
    known: dict[str, list[int]] | None = context.__dict__.get(_KEPT)
    if known is None:
        words, original = words_of(context), context.folded.original
        known = context.__dict__[_KEPT] = {
            family: [
                original(words.all[number][0])
                for number in words.numbers([name for name in names.split() if name in words.places])
            ]
            for family, names in _WORDS.items()
        }
    return known
