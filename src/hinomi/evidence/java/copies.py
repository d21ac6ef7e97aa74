"""From the decisive classes of one container to its copies of Log4j: a fixed copy never hides a vulnerable one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hinomi.evidence.java.bands import LOOKUP_ALONE, WITH_LOOKUP, WITHOUT_LOOKUP, State, Verdict, later_cves
from hinomi.evidence.java.metadata import Claim
from hinomi.evidence.java.sightings import Sighting, loadable
from hinomi.model.versions import compare

CORE = "org.apache.logging.log4j:log4j-core"
ONE = "log4j:log4j"
_HOME = b"org/apache/logging/log4j/core/"
_HOME_ONE = b"org/apache/log4j/"
_FIRST_JNDI = "2.0-beta9"
_LAST_FIX = "2.17.1"


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a library in one container."""

    name: str
    state: State
    version: str | None = None
    content_version: str | None = None
    cves: tuple[str, ...] = ()
    classes: tuple[bytes, ...] = ()
    shaded: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one container showed. `names` are all member names; `whole`: every class in it could be read."""

    sightings: Sequence[Sighting]
    claims: Sequence[Claim]
    names: Sequence[bytes]
    whole: bool = True


def decide(evidence: Evidence) -> list[Copy]:
    """Return the container's copies of log4j-core and log4j 1.x, worst first."""
    copies = _core_copies(evidence) + _ones(evidence)
    if not any(copy.name == CORE for copy in copies):
        copies += _metadata_only(evidence)
    return sorted(set(copies), key=_order)


_STATES: tuple[State, ...] = (
    "vulnerable", "below-fix", "mitigated", "fixed", "end-of-life", "metadata-only", "present"
)  # fmt: skip


def _order(copy: Copy) -> tuple[int, str, tuple[bytes, ...]]:
    return _STATES.index(copy.state), copy.content_version or "", copy.classes


def _core_copies(evidence: Evidence) -> list[Copy]:
    lookups = [s for s in evidence.sightings if s.trait.role == "lookup"]
    managers = [s for s in evidence.sightings if s.trait.role == "manager"]
    live = [s for s in lookups if loadable(s, evidence.names, [o for o in evidence.sightings if o is not s])]
    dead = [s for s in lookups if s not in live]
    copies, paired = [], set()
    for lookup in live:
        partners = _partners(lookup, managers)
        paired.update(partners)
        copies += [_pair(lookup, manager, evidence) for manager in partners] or [_alone(lookup, evidence)]
    for manager in managers:
        if manager not in paired and (manager.trait.certain or _in_core(manager, dead)):
            copies.append(_without_lookup(manager, dead, evidence))
    if dead and not live and not managers:
        copies.append(_switched_off(dead, evidence))
    return copies


def _in_core(manager: Sighting, dead: Iterable[Sighting]) -> bool:
    return any(manager.name in lookup.references for lookup in dead)


def _partners(lookup: Sighting, managers: Sequence[Sighting]) -> list[Sighting]:
    """Return the managers a lookup works with: those it names, else the nearest by package under the same root."""
    if lookup.trait.band == "beta":
        return []
    near = [m for m in managers if m.root == lookup.root]
    named = [m for m in near if m.name in lookup.references]
    if named:
        return named
    if any(m.name in lookup.references for m in managers):
        return []
    sure = [m for m in near if m.trait.certain] or near
    best = max((_common(lookup.name, m.name) for m in sure), default=0)
    return [m for m in sure if _common(lookup.name, m.name) == best]


def _common(left: bytes, right: bytes) -> int:
    """Count the package parts two class names share."""
    count = 0
    for a, b in zip(left.split(b"/")[:-1], right.split(b"/")[:-1], strict=False):
        if a != b:
            break
        count += 1
    return count


def _pair(lookup: Sighting, manager: Sighting, evidence: Evidence) -> Copy:
    band = manager.trait.band
    if lookup.trait.band == "disabled" and band in ("enabled", "open"):
        band = "disabled"
    why = f"JndiManager: {manager.trait.reason}; JndiLookup present"
    return _copy(WITH_LOOKUP[band], why, (manager, lookup), evidence)


def _alone(lookup: Sighting, evidence: Evidence) -> Copy:
    band = lookup.trait.band
    guards = [s for s in evidence.sightings if s.trait.role == "guard" and s.root == lookup.root]
    if band == "lookup" and guards:
        why = f"JndiLookup: {lookup.trait.reason}; {guards[0].trait.reason}"
        return _copy(WITH_LOOKUP["jdbc"], why, (lookup,), evidence)
    verdict = LOOKUP_ALONE[band]
    claim = _claim(verdict, lookup, evidence)
    if band == "lookup" and claim and WITH_LOOKUP["lookup"].allows(claim):
        verdict = WITH_LOOKUP["lookup"]
    return _copy(verdict, f"JndiLookup without a JndiManager beside it: {lookup.trait.reason}", (lookup,), evidence)


def _without_lookup(manager: Sighting, dead: Sequence[Sighting], evidence: Evidence) -> Copy:
    gone = f"JndiLookup cannot be loaded ({dead[0].entry.decode('utf-8', 'replace')})" if dead else "no JndiLookup"
    why = f"JndiManager: {manager.trait.reason}; {gone}"
    verdict = WITHOUT_LOOKUP[manager.trait.band]
    if verdict.state == "mitigated" and not evidence.whole:
        verdict, why = replace(verdict, state="metadata-only"), f"{why} among what could be read, and not all could"
    return _copy(verdict, why, (manager,), evidence)


def _switched_off(dead: Sequence[Sighting], evidence: Evidence) -> Copy:
    state = Verdict("mitigated", "2.0-beta9 or later", (), (("2.0-beta9", None),))
    return _copy(state, "JndiLookup is there but cannot be loaded", dead, evidence)


def _copy(verdict: Verdict, why: str, deciding: Sequence[Sighting], evidence: Evidence) -> Copy:
    claim = _claim(verdict, deciding[0], evidence)
    agrees = claim is not None and verdict.allows(claim)
    if claim is not None and not agrees:
        why += f"; metadata says {claim}, content says {verdict.releases}"
    later = later_cves(claim) if claim is not None and agrees else ()
    return Copy(
        CORE, verdict.state, claim, verdict.releases, (*verdict.cves, *later), tuple(s.entry for s in deciding),
        _is_shaded(deciding[0], _HOME, evidence), why,
    )  # fmt: skip


def _claim(verdict: Verdict, deciding: Sighting, evidence: Evidence) -> str | None:
    """Return the claimed version: under the same root first, one that the content allows first."""
    claims = [c for c in evidence.claims if c.name == CORE and c.version]
    under = [c for c in claims if c.root == (deciding.root or b"")] or claims
    fitting = [c.version for c in under if c.version and verdict.allows(c.version)]
    return fitting[0] if fitting else next((c.version for c in under), None)


def _is_shaded(deciding: Sighting, home: bytes, evidence: Evidence) -> bool:
    if not deciding.name.startswith(home):
        return True
    own = (deciding.root or b"") + b"org/apache/"
    versions = (deciding.root or b"") + b"META-INF/"
    return any(n.endswith(b".class") and not n.startswith((own, versions)) and b"/" in n for n in evidence.names)


def _metadata_only(evidence: Evidence) -> list[Copy]:
    copies = []
    for claim in evidence.claims:
        if claim.name != CORE or not claim.version or not claim.strong:
            continue
        has_core = any(b"/log4j/core/" in n and n.endswith(b".class") for n in evidence.names)
        version = claim.version
        in_question = compare(version, _FIRST_JNDI, "maven") >= 0 and compare(version, _LAST_FIX, "maven") < 0
        if has_core and evidence.whole and in_question:
            why = f"metadata says {version}; neither JndiManager nor JndiLookup is there"
            copies.append(Copy(CORE, "mitigated", version, None, (), (), False, why))
        else:
            why = f"metadata says {version}; no class of the JNDI family is there"
            copies.append(Copy(CORE, "metadata-only", version, None, (), (), False, why))
    return copies


def _ones(evidence: Evidence) -> list[Copy]:
    """Log4j 1.x is told apart: not open to the JNDI family, but at its end of life. reload4j is its maintained fork."""
    heads = [s for s in evidence.sightings if s.trait.role == "log4j1"]
    if not heads:
        return []
    claimed = {claim.name for claim in evidence.claims}
    hardened = any(s.trait.role == "reload4j" for s in evidence.sightings)  # Debian's 1.2 took over that code
    if "ch.qos.reload4j:reload4j" in claimed or (hardened and ONE not in claimed):
        return []
    appenders = [s for s in evidence.sightings if s.trait.role == "jms1"]
    version = next((c.version for c in evidence.claims if c.name == ONE), None)
    cves = ("CVE-2021-4104",) if appenders else ()
    classes = tuple(s.entry for s in (heads[0], *appenders[:1]))
    shaded = _is_shaded(heads[0], _HOME_ONE, evidence)
    return [Copy(ONE, "end-of-life", version, "1.x", cves, classes, shaded, heads[0].trait.reason)]
