"""The profile: how often each program was seen, and with which parents, users, arguments, ports and peers.

How surprising something new is follows Good and Turing: the share of what was seen only once tells how likely the next
look is to bring something new again. A service that has always listened on one port surprises with a second one; a
browser with a new peer does not.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hinomi.model.errors import CaseError
from hinomi.watch.profile.sighting import KINDS, Look, Sighting

SCHEMA = "hinomi.profile/1"
MAX_PROGRAMS = 100_000
MAX_VALUES = 500  # kept per program and kind, the most frequent ones


@dataclass(slots=True)
class Habits:
    """What is known of one program: in how many looks it and each of its values was seen."""

    looks: int = 0
    by_login: bool = True  # never seen without somebody logged in
    values: dict[str, Counter[str]] = field(default_factory=lambda: {kind: Counter() for kind in KINDS})

    def to_json(self) -> dict[str, Any]:
        """Return the habits as an object."""
        kinds = {kind: dict(sorted(counter.items())) for kind, counter in self.values.items() if counter}
        return {"looks": self.looks, "by_login": self.by_login, **kinds}


@dataclass(slots=True)
class Profile:
    """What one host runs. Times are ISO 8601, UTC."""

    host: str
    began: str
    ended: str
    looks: int = 0
    programs: dict[str, Habits] = field(default_factory=dict)

    def learn(self, look: Look, leave_out: Iterable[int] = ()) -> None:
        """Take a look in, but for the processes (by id) that are under suspicion."""
        suspects = frozenset(leave_out)
        self.looks += 1
        seen: dict[str, list[Sighting]] = {}
        for sighting in look.processes:
            if sighting.pid not in suspects:
                seen.setdefault(sighting.program, []).append(sighting)
        for program, members in seen.items():
            if program in self.programs or len(self.programs) < MAX_PROGRAMS:
                self._take(self.programs.setdefault(program, Habits()), members)

    @staticmethod
    def _take(habits: Habits, members: list[Sighting]) -> None:
        habits.looks += 1
        habits.by_login = habits.by_login and all(member.by_login for member in members)
        for kind, counter in habits.values.items():
            for value in sorted({value for member in members for value in member.traits[kind]}):
                if value in counter or len(counter) < MAX_VALUES:
                    counter[value] += 1

    def surprise(self, program: str, kind: str) -> int:
        """Return how surprising a new value of a kind is for a known program, from 0 (usual) to 100."""
        habits = self.programs[program]
        return _surprise(habits.values[kind], habits.looks)

    def surprise_of_program(self, by_login: bool) -> int:
        """Return how surprising an unknown program is: among services rarely, among what users start often little."""
        looks = Counter({p: h.looks for p, h in self.programs.items() if h.by_login == by_login})
        return _surprise(looks, self.looks)

    def to_bytes(self) -> bytes:
        """Return the canonical form that is sealed."""
        body = {
            "schema": SCHEMA, "host": self.host, "began": self.began, "ended": self.ended, "looks": self.looks,
            "programs": {name: habits.to_json() for name, habits in sorted(self.programs.items())},
        }  # fmt: skip
        return json.dumps(body, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode("ascii")


def profile_from(data: bytes, place: str) -> Profile:
    """Read what `Profile.to_bytes` made; `CaseError` where it is none."""
    try:
        body = json.loads(data)
        if body["schema"] != SCHEMA:
            raise ValueError(f"schema {body['schema']!r}")
        programs = {str(name): _habits(values) for name, values in body["programs"].items()}
        return Profile(str(body["host"]), str(body["began"]), str(body["ended"]), int(body["looks"]), programs)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise CaseError("profile.malformed", place=place, cause=str(error)[:200]) from error


def _habits(body: dict[str, Any]) -> Habits:
    values = {kind: Counter({str(v): int(n) for v, n in body.get(kind, {}).items()}) for kind in KINDS}
    return Habits(int(body["looks"]), bool(body["by_login"]), values)


def _surprise(counts: Counter[str], looks: int) -> int:
    """Return 100 x (1 - the chance of something new), the chance held up where little was learned."""
    once = sum(1 for count in counts.values() if count == 1)
    return round(100 * (1 - min(1.0, (once + 1) / (looks + 2))))
