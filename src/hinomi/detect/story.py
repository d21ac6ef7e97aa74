"""Findings of one intrusion told together: joined by what they touch, in the order of an attack."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import prod

from hinomi.detect.draft import clipped
from hinomi.detect.tactics import OTHER, Phase, phase_of, phase_order
from hinomi.model.findings import SEVERITIES, Finding, Severity, Story, severity_rank
from hinomi.model.text import Bilingual, printable

LISTED_PER_PHASE = 5
BEHAVIOURS_THAT_NAME = 3
SUBJECTS_PER_RULE = 3
_LOW, _MEDIUM, _HIGH = (severity_rank(s) for s in ("low", "medium", "high"))
_NAME_RULES = frozenset(f"indicator:{kind}" for kind in ("filename", "filepath", "account", "service"))
_NAME_BONUS = 30
# everybody's files: two findings that both mention one of them have nothing else in common
_COMMON_PATHS = (
    "/ /etc /bin /sbin /usr /usr/bin /usr/sbin /lib /usr/lib /tmp /var/tmp /dev /dev/null /dev/shm /proc /run /root "
    "/home /etc/passwd /etc/shadow /etc/group /etc/sudoers /etc/hosts /etc/crontab /etc/profile root"
)
_COMMON = frozenset(_COMMON_PATHS.split())
_COMMON_PROGRAMS = (
    "sh bash dash ash ksh zsh busybox env sudo su cron crond systemd init python python3 perl ruby php node java root "
    "cp mv rm tar gzip gunzip cpio mount umount sed awk grep cat echo curl wget openssl ssh sshd sqlite3 pgrep "
    "pidof"
)
_COMMON_NAMES = frozenset(_COMMON_PROGRAMS.split())


def tell(findings: Iterable[Finding]) -> list[Story]:
    """Return the stories of findings, gravest first.

    A story is at least two findings (`low` or worse) by different rules on one target that touch the same file,
    program, process or account; one of them must say more than a name. Advisories tell of exposure, not of an
    intrusion, and stay out.
    """
    by_target: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if severity_rank(finding.severity) >= _LOW and finding.rule_kind != "advisory":
            by_target[finding.target].append(finding)
    groups = [group for listed in by_target.values() for group in _connected(listed) if _is_story(group)]
    return sorted((_story(group) for group in groups), key=lambda s: (-severity_rank(s.severity), s.target, s.id))


def joined(findings: Sequence[Finding], stories: Iterable[Story]) -> list[Finding]:
    """Return the findings with the id of their story; names that other findings of it bear out gain confidence."""
    story_of = {finding: story.id for story in stories for finding in story.findings}
    return [_with_story(f, story_of[f.id]) if f.id in story_of else f for f in findings]


def _with_story(finding: Finding, story: str) -> Finding:
    bonus = _NAME_BONUS if finding.rule_id in _NAME_RULES and finding.story is None else 0
    return replace(finding, story=story, confidence=min(99, finding.confidence + bonus))


def _connected(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Group findings by shared keys (union-find with path halving)."""
    parent = list(range(len(findings)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    names = {text for finding in findings for text in _touched(finding) if "/" not in text and not text.isdigit()}
    first_with: dict[str, int] = {}
    for index, finding in enumerate(findings):
        for key in _keys(finding, names):
            parent[root(index)] = root(first_with.setdefault(key, index))
    groups: dict[int, list[Finding]] = defaultdict(list)
    for index, finding in enumerate(findings):
        groups[root(index)].append(finding)
    return list(groups.values())


def _touched(finding: Finding) -> set[str]:
    return {finding.subject_key, *finding.related}


def _keys(finding: Finding, names: set[str]) -> set[str]:
    """Return what joins a finding to others: paths, and base names that stand alone in some other finding."""
    keys = set()
    for text in _touched(finding):
        outer = text.partition(" » ")[0]
        base = outer.replace("\\", "/").rstrip("/").rpartition("/")[2]
        if text == finding.subject_key or outer not in _COMMON:
            keys.add(outer)
        if base in names and base not in _COMMON_NAMES:
            keys.add(base)
    return keys - {""}


def _is_story(group: Sequence[Finding]) -> bool:
    telling = [f for f in group if f.rule_id not in _NAME_RULES]
    grave = any(severity_rank(f.severity) >= _MEDIUM for f in telling)
    return grave and len({f.rule_id for f in group}) >= 2


def _story(group: Sequence[Finding]) -> Story:
    ordered = sorted(group, key=_telling_order)
    anchor = min(group, key=lambda f: (-severity_rank(f.severity), -f.confidence, f.rule_id, f.subject_key))
    threats = _voted(group)
    severity = _severity(group)
    return Story(
        id=hashlib.sha256(f"story\0{anchor.id}".encode()).hexdigest()[:16],
        target=anchor.target,
        title=_title(ordered, threats if _names(group, threats[:1]) else ()),
        explanation=_explanation(ordered),
        severity=severity,
        confidence=_confidence(group),
        findings=tuple(f.id for f in ordered),
        threats=threats,
        attack=tuple(dict.fromkeys(t for f in ordered for t in f.attack)),
    )


def _telling_order(finding: Finding) -> tuple[int, int, str, str]:
    phase = phase_order(phase_of(finding.attack))
    return phase, -severity_rank(finding.severity), finding.rule_id, finding.subject_key


def _severity(group: Sequence[Finding]) -> Severity:
    """Return the gravest severity, one higher where three phases bear each other out; `critical` needs a `high`."""
    top = max(severity_rank(f.severity) for f in group)
    supporting = [f for f in group if severity_rank(f.severity) >= _MEDIUM]
    phases = {phase_of(f.attack).name for f in supporting}
    corroborated = len(phases) >= 3 and len({f.rule_id for f in supporting}) >= 3
    return SEVERITIES[min(top + corroborated, len(SEVERITIES) - 1)]


def _confidence(group: Sequence[Finding]) -> int:
    """Return the chance that not every rule errs, each rule counted once; names alone add nothing."""
    best: dict[str, int] = {}
    for finding in group:
        if finding.rule_id not in _NAME_RULES:
            best[finding.rule_id] = max(best.get(finding.rule_id, 0), finding.confidence)
    return min(99, round(100 * (1 - prod(1 - c / 100 for c in best.values()))))


def _voted(group: Sequence[Finding]) -> tuple[str, ...]:
    """Return the threats that the findings speak for, the best supported first; weak second guesses are dropped."""
    votes: Counter[str] = Counter()
    for finding in group:
        for threat in finding.threats:
            votes[threat] += (1 + severity_rank(finding.severity)) * finding.confidence // len(finding.threats)
    ranked = sorted(votes.items(), key=lambda item: (-item[1], item[0]))
    return tuple(threat for threat, vote in ranked if vote * 2 >= ranked[0][1])[:5]


def _names(group: Sequence[Finding], threats: Sequence[str]) -> bool:
    """Whether what was found is enough to name a threat: its own code or indicator, or three kinds of its behaviour.

    An account without a password is in many reports; two such findings are nobody's signature.
    """
    speaking = [f for f in group if set(threats) & set(f.threats) and f.rule_id not in _NAME_RULES]
    own = any(f.rule_kind in ("yara", "indicator") for f in speaking)
    return own or len({f.rule_id for f in speaking}) >= BEHAVIOURS_THAT_NAME


def _title(ordered: Sequence[Finding], threats: tuple[str, ...]) -> Bilingual:
    phases = list(dict.fromkeys(phase_of(f.attack).title for f in ordered if phase_of(f.attack) is not OTHER))
    phases = phases or [Bilingual("indicators", "指標の一致")]
    en, ja = (", ".join(p.en.lower() for p in phases)), "・".join(p.ja for p in phases)
    if threats:
        return Bilingual(f"An intrusion that fits {threats[0]}: {en}", f"{threats[0]}の特徴に合う侵害: {ja}")
    return Bilingual(f"Findings that belong together: {en}", f"互いに関連する検知: {ja}")


def _explanation(ordered: Sequence[Finding]) -> Bilingual:
    by_phase: dict[str, tuple[Phase, list[Finding]]] = {}
    for finding in ordered:
        phase = phase_of(finding.attack)
        by_phase.setdefault(phase.name, (phase, []))[1].append(finding)
    parts = [_told(phase, listed) for phase, listed in by_phase.values()]
    en, ja = ("\n".join(texts) for texts in zip(*((part.en, part.ja) for part in parts), strict=True))
    subjects = len({f.subject_key for f in ordered})
    return Bilingual(
        f"{len(ordered)} findings belong together; subjects: {subjects}.\n{en}",
        f"{subjects}個の対象に関する{len(ordered)}件の検知が互いにつながっています。\n{ja}",
    )


def _told(phase: Phase, findings: Sequence[Finding]) -> Bilingual:
    """Tell one phase: an entry per rule with its subjects, the gravest first."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule_id, []).append(finding)
    entries = [_entry(listed) for listed in list(by_rule.values())[:LISTED_PER_PHASE]]
    more = len(by_rule) - len(entries)
    en = "; ".join(entry.en for entry in entries) + (f"; and {more} more" if more else "")
    ja = "、".join(entry.ja for entry in entries) + (f"、ほか{more}件" if more else "")
    return Bilingual(f"{phase.title.en}: {en}.", f"【{phase.title.ja}】{ja}。")


def _entry(findings: Sequence[Finding]) -> Bilingual:
    """Return the title of one rule's findings with the subjects that it does not name itself."""
    title = findings[0].title
    others = list(dict.fromkeys(_subject(f) for f in findings if _subject(f) not in title.en))
    listed = ", ".join(others[:SUBJECTS_PER_RULE]) + (", …" if len(others) > SUBJECTS_PER_RULE else "")
    if not others:
        return title
    also = ("also ", "ほかに ") if _subject(findings[0]) in title.en else ("", "")
    return Bilingual(f"{title.en} ({also[0]}{listed})", f"{title.ja}({also[1]}{listed})")


def _subject(finding: Finding) -> str:
    return clipped(printable(finding.subject_key), 80)
