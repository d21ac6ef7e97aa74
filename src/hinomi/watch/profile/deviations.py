"""What a look has that the profile lacks, as rows."""

from __future__ import annotations

from collections.abc import Iterator

from hinomi.model.tables.processes import Deviation
from hinomi.watch.profile.profile import Profile
from hinomi.watch.profile.sighting import KINDS, Look, Sighting

MAX_USUAL = 5


def deviations(profile: Profile, look: Look) -> Iterator[Deviation]:
    """Yield a row for each unknown program, and for each unknown value of a known one, in the look's order."""
    for sighting in look.processes:
        if sighting.program in profile.programs:
            yield from _of_known(profile, sighting)
        else:
            surprise = profile.surprise_of_program(sighting.by_login)
            yield _row(profile, sighting, "program", sighting.program, surprise, seen=0, usual=[])


def _of_known(profile: Profile, sighting: Sighting) -> Iterator[Deviation]:
    habits = profile.programs[sighting.program]
    for kind in KINDS:
        known = habits.values[kind]
        usual = [value for value, _ in sorted(known.items(), key=lambda item: (-item[1], item[0]))[:MAX_USUAL]]
        for value in sorted(sighting.traits[kind] - known.keys()):
            surprise = profile.surprise(sighting.program, kind)
            yield _row(profile, sighting, kind, value, surprise, seen=habits.looks, usual=usual)


def _row(
    profile: Profile, sighting: Sighting, kind: str, value: str, surprise: int, *, seen: int, usual: list[str]
) -> Deviation:
    return Deviation(
        pid=sighting.pid, process=sighting.name, program=sighting.program, kind=kind, value=value, usual=usual,
        looks=profile.looks, seen=seen, surprise=surprise, by_login=sighting.by_login,
    )  # fmt: skip
