"""A claim as an analyst sees it: what it is, the sentence that says it with its words marked, why, and who decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hinomi.cli.output import wants_color
from hinomi.cli.settings import Settings
from hinomi.locale.catalogue import text
from hinomi.model.claims import Claim, Report
from hinomi.model.text import Language, printable

if TYPE_CHECKING:
    from rich.text import Text

MARKS = ("[[", "]]")
"""What stands around a claim's words where the output has no colours to mark them."""


def render_claims(report: Report, decisions: Sequence[Mapping[str, str]], settings: Settings) -> str:
    """Return every claim of a report, each in its sentence, with what people decided."""
    from hinomi.cli.terminal import terminal

    console = terminal(settings)
    decided = {d["claim"]: d for d in decisions}
    with console.capture() as capture:
        console.rule(printable(report.title), align="left", style="red")
        for claim in report.claims:
            console.print(claim_text(report, claim, settings, decided.get(claim.id)))
    return capture.get()


def claim_text(
    report: Report, claim: Claim, settings: Settings, decision: Mapping[str, str] | None = None, *, head: str = ""
) -> Text:
    """Return one claim: a line of facts after `head`, its sentence, its reason, and the decision where there is one."""
    from rich.text import Text

    language = settings.language
    shown = Text(head)
    shown.append(_shown(f"{claim.type} {_named(claim)}"), style="bold")
    shown.append(_shown(f"  {claim.role} · {claim.confidence} % · {claim.status} · {_short(claim)}\n  "), style="dim")
    _sentence(shown, report, claim, color=wants_color(settings))
    if claim.why:
        shown.append(_shown(f"\n  {claim.why}"), style="dim")
    if key := claim.attributes.get("suspicious_when"):
        place = claim.attributes.get("belongs_in", "")
        shown.append("\n  " + _shown(text(str(key), language, place=place)), style="yellow")
    if decision is not None:
        shown.append("\n  " + _shown(_decided(decision, language)), style="cyan")
    return shown


def _sentence(shown: Text, report: Report, claim: Claim, *, color: bool) -> None:
    from hinomi.brief.reading import sentence_of

    sentence, start, end = sentence_of(report, claim)
    before, after = ("", "") if color else MARKS
    shown.append(_shown(sentence[:start]))
    shown.append(before + _shown(sentence[start:end]) + after, style="reverse")
    shown.append(_shown(sentence[end:]))


def _named(claim: Claim) -> str:
    return claim.value if claim.canonical in (None, claim.value) else f"{claim.value} = {claim.canonical}"


def _short(claim: Claim) -> str:
    """The beginning of a claim's id, as `accept` and `reject` take it."""
    return claim.id.removeprefix("claim--")[:10]


def _decided(decision: Mapping[str, str], language: Language) -> str:
    return text("review.decided", language, **{k: decision[k] for k in ("status", "who", "at", "why")})


def _shown(value: str) -> str:
    return printable(value, keep_newlines=True)
