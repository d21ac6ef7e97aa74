"""hinomi library review: one suggested claim after the other, one key each.

At a terminal a key decides at once. From a pipe each line is a decision: the key, then the reason.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import click

from hinomi.cli.claimview import claim_text
from hinomi.cli.library.group import opened, sub
from hinomi.cli.options import common
from hinomi.cli.output import tell
from hinomi.cli.settings import Settings
from hinomi.cli.words import say
from hinomi.locale.catalogue import text
from hinomi.model.claims import CLAIM_TYPES, Claim, ClaimStatus, Report
from hinomi.model.errors import UsageError
from hinomi.store.case import Case

ACCEPT, REJECT, ALLOW, SKIP, QUIT = "arwsq"
_STATUS: dict[str, ClaimStatus] = {ACCEPT: "accepted", REJECT: "rejected", ALLOW: "rejected"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A key and, where it was given with it, the reason."""

    key: str
    why: str = ""


class Reviewer:
    """Asks about claims and carries out the answers."""

    def __init__(self, case: Case, report: Report, settings: Settings, why: str) -> None:
        self.counts: Counter[str] = Counter()
        self._case = case
        self._report = report
        self._settings = settings
        self._why = why
        self._answers = _keys(settings, why) if sys.stdin.isatty() else _lines()

    def review(self, claims: list[Claim]) -> int:
        """Ask about each claim until the answers end; return how many were left undecided."""
        for number, claim in enumerate(claims):
            self._show(claim, f"{number + 1}/{len(claims)}  ")
            answer = self._answer()
            if answer is None or answer.key == QUIT:
                return len(claims) - number
            self._decide(claim, answer)
        return 0

    def _show(self, claim: Claim, head: str) -> None:
        from hinomi.cli.terminal import terminal

        console = terminal(self._settings)
        with console.capture() as capture:
            console.print(claim_text(self._report, claim, self._settings, head=head))
        click.echo(capture.get(), nl=False)

    def _answer(self) -> Answer | None:
        for answer in self._answers:
            if answer.key in _STATUS or answer.key in (SKIP, QUIT):
                return answer
            tell(self._settings, text("review.keys", self._settings.language))
        return None

    def _decide(self, claim: Claim, answer: Answer) -> None:
        from hinomi.flow.library import decide

        self.counts[answer.key] += 1
        if answer.key == SKIP:
            return
        why = answer.why or self._why
        allow = answer.key == ALLOW
        decide(self._case, self._report, [claim.id], _STATUS[answer.key], why=why, allow_too=allow)


def _keys(settings: Settings, why: str) -> Iterator[Answer]:
    """Yield what is typed at the terminal; a claim that is refused asks why, unless that was said already."""
    while True:
        click.echo(text("review.ask", settings.language), nl=False, err=True)
        try:
            key = click.getchar().lower()
        except (EOFError, KeyboardInterrupt):
            key = QUIT
        click.echo(key if key.isprintable() else "", err=True)
        asked = key in (REJECT, ALLOW) and not why
        words = text("review.why", settings.language)
        yield Answer(key, click.prompt(words, default="", show_default=False, err=True) if asked else "")


def _lines() -> Iterator[Answer]:
    for line in sys.stdin:
        key, _, why = line.strip().partition(" ")
        yield Answer(key.lower(), why.strip())


@sub("review", epilog="help.library.review.examples")
@click.argument("report")
@click.option("--type", "kinds", multiple=True, type=click.Choice(CLAIM_TYPES), metavar="TYPE", help=say("option.type"))
@click.option("--why", default="", help=say("option.why"))
@common("table")
def review(settings: Settings, report: str, kinds: tuple[str, ...], why: str) -> int:
    """Decide on the suggested claims of a report, one key each."""
    from hinomi.flow.library import find, suggested

    with opened(settings) as case:
        found = find(case, report)
        claims = suggested(found, kinds)
        if not claims:
            tell(settings, text("review.nothing", settings.language))
            return 0
        reviewer = Reviewer(case, found, settings, why)
        left = reviewer.review(claims)
    if left == len(claims) and not sys.stdin.isatty() and not reviewer.counts:
        raise UsageError("review.no-answers", place=found.title, cause=str(left))
    counts = {name: reviewer.counts[key] for name, key in _COUNTED.items()}
    tell(settings, text("review.done", settings.language, left=left, **counts))
    return 0


_COUNTED = {"accepted": ACCEPT, "rejected": REJECT, "allowed": ALLOW, "skipped": SKIP}
