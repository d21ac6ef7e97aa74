"""What people see in the terminal: verdicts, findings, claims. Everything from outside is made printable first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hinomi.brief.document import ScanDocument, VerdictDocument
from hinomi.cli.settings import Settings
from hinomi.cli.terminal import terminal
from hinomi.locale.catalogue import text
from hinomi.model.claims import Report
from hinomi.model.findings import Coverage, Finding, Story
from hinomi.model.text import Language, printable
from hinomi.model.verdict import Judgement, Verdict

if TYPE_CHECKING:
    from rich.console import Console

STYLE = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}
ANSWER_STYLE = {"yes": "bold red", "no": "bold green", "unknown": "bold yellow"}
MAX_EVIDENCE = 4
MAX_MISSES = 12
MAX_FINDINGS = 60
MAX_SENTENCES = 500


def render_verdicts(document: VerdictDocument, settings: Settings) -> str:
    """Return the verdicts as terminal text."""
    console = terminal(settings)
    with console.capture() as capture:
        for verdict in document.verdicts:
            _verdict(console, verdict, settings)
    return capture.get()


def render_scan(document: ScanDocument, settings: Settings) -> str:
    """Return findings, stories and coverage as terminal text."""
    console = terminal(settings)
    language = settings.language
    with console.capture() as capture:
        _stories(console, document.stories, language)
        _findings(console, document.findings, language, full=settings.verbosity > 0)
        _coverage(console, document.coverage, language)
    return capture.get()


def render_reports(reports: Sequence[Report], checked: dict[str, dict[str, str]], settings: Settings) -> str:
    """Return claims as a table; `checked` maps report and claim to what can check it."""
    console = terminal(settings)
    with console.capture() as capture:
        for report in reports:
            _report(console, report, checked.get(report.id, {}), settings.language)
            if settings.verbosity > 0:
                _sentences(console, report, settings)
    return capture.get()


def render_rows(columns: Sequence[str], rows: Iterable[Sequence[object]], settings: Settings) -> str:
    """Return any table."""
    from rich.table import Table

    console = terminal(settings)
    table = Table(*[_safe(c) for c in columns], header_style="bold", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*[_safe("" if v is None else str(v)) for v in row])
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def _safe(value: str) -> str:
    return printable(value, keep_newlines=True)


def _verdict(console: Console, verdict: Verdict, settings: Settings) -> None:
    language = settings.language
    console.rule(_safe(verdict.report_title), align="left", style="red")
    console.print(_safe(f"{text('brief.targets', language)}: {', '.join(verdict.targets)}"), style="dim")
    _judgement(console, text("verdict.affected", language), verdict.affected, language)
    _judgement(console, text("verdict.compromised", language), verdict.compromised, language)
    _findings(console, verdict.findings, language, full=settings.verbosity > 0)
    if verdict.other_findings:
        console.print(text("verdict.other-findings", language, count=verdict.other_findings), style="dim")
    _actions(console, verdict, language)
    _unchecked(console, verdict, language)
    _misses(console, [m for m in verdict.coverage["not_examined"] if not m["transient"]], language)
    console.print()


def _judgement(console: Console, question: str, judgement: Judgement, language: Language) -> None:
    from rich.text import Text

    answer = Text(f"{question}  ", style="bold")
    answer.append(text(f"answer.{judgement.answer}", language), style=ANSWER_STYLE[judgement.answer])
    console.print(answer)
    for reason in judgement.reasons:
        console.print(_hanging("•", reason.text.in_language(language)))


def _hanging(mark: str, said: str, indent: int = 2) -> object:
    from rich.padding import Padding
    from rich.table import Table

    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(mark, _safe(said))
    return Padding(grid, (0, 0, 0, indent))


def _stories(console: Console, stories: Sequence[Story], language: Language) -> None:
    for story in stories:
        console.print(_safe(story.title.in_language(language)), style=STYLE[story.severity])
        console.print(_hanging(" ", story.explanation.in_language(language)))


def _findings(console: Console, findings: Sequence[Finding], language: Language, *, full: bool) -> None:
    console.print(f"\n{text('verdict.findings', language)} ({len(findings)})", style="bold")
    if not findings:
        console.print(f"  {text('verdict.no-findings', language)}")
    shown = findings if full else findings[:MAX_FINDINGS]
    for finding in shown:
        _finding(console, finding, language, full=full)
    if len(shown) < len(findings):
        console.print(text("tables.more-findings", language, count=len(findings) - len(shown)), style="dim")


def _finding(console: Console, finding: Finding, language: Language, *, full: bool) -> None:
    from rich.text import Text

    line = Text("  ")
    line.append(text(f"severity.{finding.severity}", language), style=STYLE[finding.severity])
    title, subject = _safe(finding.title.in_language(language)), _safe(finding.subject_key)
    line.append(f"  {title}", style="bold")
    if subject not in title:
        line.append(f"  {subject}")
    line.append(f"  {finding.rule_id} {' '.join(finding.attack)}", style="dim")
    console.print(line)
    console.print(_hanging(" ", finding.explanation.in_language(language), indent=4))
    for evidence in finding.evidence if full else finding.evidence[:MAX_EVIDENCE]:
        console.print(_hanging("→", f"{evidence.table} {evidence.row}: {evidence.shows}", indent=4), style="dim")


def _actions(console: Console, verdict: Verdict, language: Language) -> None:
    console.print(f"\n{text('verdict.actions', language)}", style="bold")
    if not verdict.actions:
        console.print(f"  {text('verdict.no-actions', language)}")
    for number, action in enumerate(verdict.actions, start=1):
        said = f"{text(f'phase.{action.phase}', language)}: {action.text.in_language(language)}"
        console.print(_hanging(f"{number}.", said))


def _unchecked(console: Console, verdict: Verdict, language: Language) -> None:
    if not verdict.unchecked:
        return
    console.print(f"\n{text('coverage.not-checked', language)}", style="bold")
    by_why: dict[str, list[str]] = {}
    for item in verdict.unchecked:
        by_why.setdefault(item["why"][language], []).append(item["text"])
    for why, what in by_why.items():
        console.print(_hanging("?", f"{', '.join(dict.fromkeys(what))} — {why}"))


def _coverage(console: Console, coverage: Coverage, language: Language) -> None:
    body = coverage.to_json()
    console.print(f"\n{text('coverage.title', language)}", style="bold")
    counts = ", ".join(f"{kind} {count:,}" for kind, count in body["examined"].items())
    console.print(_hanging("•", counts))
    if body["skipped"]:
        skipped = ", ".join(f"{kind} {count:,}" for kind, count in body["skipped"].items())
        console.print(_hanging("•", f"{text('coverage.skipped', language)}: {skipped}"))
    _misses(console, [m for m in body["not_examined"] if not m["transient"]], language)


def _misses(console: Console, misses: Sequence[dict[str, str]], language: Language) -> None:
    if not misses:
        return
    console.print(text("coverage.not-examined-count", language, count=len(misses)), style="yellow")
    for miss in misses[:MAX_MISSES]:
        console.print(_hanging("!", f"{miss['subject']} — {miss['reason']} ({miss['area']}) {miss['detail']}"))
    if len(misses) > MAX_MISSES:
        console.print(text("tables.more-misses", language, count=len(misses) - MAX_MISSES), style="dim")


def _report(console: Console, report: Report, checked: dict[str, str], language: Language) -> None:
    from rich.table import Table

    console.rule(_safe(report.title), align="left", style="red")
    console.print(_safe(f"{report.source} · {report.language} · {report.id}"), style="dim")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for key in ("type", "value", "role", "confidence", "checked"):
        table.add_column(text(f"column.{key}", language), overflow="fold")
    for claim in report.claims:
        value = (
            claim.value
            if not claim.canonical or claim.canonical == claim.value
            else f"{claim.value} = {claim.canonical}"
        )
        row = (claim.type, value, claim.role, str(claim.confidence), checked.get(claim.id, ""))
        table.add_row(*[_safe(cell) for cell in row])
    console.print(table)
    console.print(text("read.summary", language, count=len(report.claims)), style="dim")


def _sentences(console: Console, report: Report, settings: Settings) -> None:
    """Show every claim in its sentence, marked, with why it was made."""
    from hinomi.cli.claimview import claim_text

    for claim in report.claims[:MAX_SENTENCES]:
        console.print(claim_text(report, claim, settings))
