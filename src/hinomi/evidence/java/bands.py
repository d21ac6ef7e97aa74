"""What each band of releases is open to.

Source: the CVE records of CVE-2021-44228, -45046, -45105 and -44832 (the stricter values: 44832 is fixed in 2.17.1,
2.12.4 and 2.3.2, not one release earlier as the vendor's table has said since 2025); newer ones from the vendor's
disclosure report (CycloneDX VDR, 2026).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hinomi.evidence.java.traits import Band
from hinomi.model.versions import compare, in_interval

State = Literal["vulnerable", "below-fix", "fixed", "mitigated", "metadata-only", "end-of-life", "present"]

SHELL, SECOND, LOOP, JDBC = "CVE-2021-44228", "CVE-2021-45046", "CVE-2021-45105", "CVE-2021-44832"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a copy of a band is: its state, the releases that look so, and the CVEs it is open to."""

    state: State
    releases: str
    cves: tuple[str, ...]
    intervals: tuple[tuple[str, str | None], ...]  # releases of the band, inclusive; None: no end

    def allows(self, version: str) -> bool:
        """Whether a claimed version can be one of the band's."""
        return any(in_interval(version, low, high, "maven") for low, high in self.intervals)


WITH_LOOKUP: dict[Band, Verdict] = {
    "jdbc": Verdict(
        "fixed", "2.17.1 or later|2.12.4|2.3.2", (), (("2.17.1", None), ("2.12.4", "2.12.4"), ("2.3.2", "2.3.2"))
    ),
    "lookup": Verdict(
        "below-fix", "2.17.0|2.12.3|2.3.1", (JDBC,), (("2.17.0", "2.17.0"), ("2.12.3", "2.12.3"), ("2.3.1", "2.3.1"))
    ),
    "enabled": Verdict("below-fix", "2.16.0|2.12.2", (LOOP, JDBC), (("2.16.0", "2.16.0"), ("2.12.2", "2.12.2"))),
    "disabled": Verdict("below-fix", "2.12.2", (LOOP, JDBC), (("2.12.2", "2.12.2"),)),
    "hosts": Verdict("vulnerable", "2.15.0", (SECOND, LOOP, JDBC), (("2.15.0", "2.15.0"),)),
    "open": Verdict("vulnerable", "2.1-2.14.1", (SHELL, SECOND, LOOP, JDBC), (("2.1", "2.14.1"),)),
    "beta": Verdict("vulnerable", "2.0-beta9-2.0.2", (SHELL, SECOND, LOOP, JDBC), (("2.0-beta9", "2.0.2"),)),
}
LOOKUP_ALONE: dict[Band, Verdict] = WITH_LOOKUP | {
    "open": Verdict("vulnerable", "2.1-2.16.0", (SHELL, SECOND, LOOP, JDBC), (("2.1", "2.16.0"),)),
    "lookup": Verdict(
        "fixed", "2.17.0 or later|2.12.3|2.12.4|2.3.1|2.3.2", (),
        (("2.17.0", None), ("2.12.3", "2.12.4"), ("2.3.1", "2.3.2")),
    ),
}  # fmt: skip
WITHOUT_LOOKUP: dict[Band, Verdict] = WITH_LOOKUP | {
    "hosts": Verdict("mitigated", "2.15.0", (LOOP, JDBC), (("2.15.0", "2.15.0"),)),
    "open": Verdict("mitigated", "2.1-2.14.1", (LOOP, JDBC), (("2.1", "2.14.1"),)),
}

# Outside the JNDI family: (CVE, first affected, first fixed).
_LATER: tuple[tuple[str, str, str], ...] = (
    ("CVE-2017-5645", "2.0-alpha1", "2.8.2"),
    ("CVE-2025-68161", "2.0-beta9", "2.25.3"),
    ("CVE-2026-34477", "2.12.0", "2.25.4"),
    ("CVE-2026-34478", "2.21.0", "2.25.4"),
    ("CVE-2026-34480", "2.0-alpha1", "2.25.4"),
)


def later_cves(version: str) -> tuple[str, ...]:
    """Return log4j-core's CVEs outside the JNDI family that a claimed version is open to."""
    return tuple(
        cve
        for cve, first, fixed in _LATER
        if compare(version, first, "maven") >= 0 and compare(version, fixed, "maven") < 0
    )
