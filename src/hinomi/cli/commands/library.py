"""hinomi library: reports and claims kept, what people decided about them, and the way in and out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from hinomi.cli.options import common, online
from hinomi.cli.output import tell, write
from hinomi.cli.settings import Settings
from hinomi.cli.words import say
from hinomi.locale.catalogue import text
from hinomi.model.claims import ClaimStatus
from hinomi.model.errors import UsageError

if TYPE_CHECKING:
    from hinomi.intel.merging import MergedView
    from hinomi.model.claims import Report
    from hinomi.store.case import Case

Rows = Sequence[Sequence[object]]


@click.group(
    "library", help=say("help.library"), short_help=say("help.library.short"), epilog=say("help.library.examples")
)
@click.help_option("-h", "--help", help=say("help.help"))
def COMMAND() -> None:  # noqa: N802
    """Hold the sub-commands."""


def _case(settings: Settings) -> Case:
    from hinomi.store.case import Case

    return Case.open(settings.case)


def _sub(name: str) -> Callable[[Callable[..., int]], click.Command]:
    return COMMAND.command(name, help=say(f"help.library.{name}"), epilog=say("help.library.examples"))


@_sub("list")
@common("table", "json", "jsonl")
def list_reports(settings: Settings) -> int:
    """List the reports."""
    with _case(settings) as case:
        reports = case.library.reports()
    columns = ["id", "language", "published", "claims", "source", "title"]
    rows = [(r.id, r.language, r.published or "", len(r.claims), r.source, r.title) for r in reports]
    _print(columns, rows, settings)
    return 0


@_sub("show")
@click.argument("report")
@common("table", "json", "text", "stix", "csv")
def show(settings: Settings, report: str) -> int:
    """Show a report as kept, with who decided what."""
    from hinomi.cli.commands.read import _rendered
    from hinomi.flow.library import find
    from hinomi.flow.reading import coverage_of_reports

    with _case(settings) as case:
        kept = find(case, report)
        coverage = coverage_of_reports(case, [kept])
        decisions = [d.to_json() for d in case.library.decisions(kept.id)]
    if settings.format == "json":
        from hinomi.brief.reading import report_object

        body = report_object(kept, coverage[kept.id]) | {"decisions": decisions}
        write(json.dumps(body, ensure_ascii=False, indent=2) + "\n", settings)
        return 0
    said = _rendered([kept], coverage, settings)
    if settings.format == "table":
        said += _decided(kept, decisions, settings)
    write(said, settings)
    return 0


def _decided(report: Report, decisions: Sequence[dict[str, str]], settings: Settings) -> str:
    """Return who decided what about the claims, and why allowed values are harmless."""
    values = {c.id: f"{c.type} {c.value}" for c in report.claims}
    rows = [(values[d["claim"]], d["status"], d["who"], d["at"], d["why"]) for d in decisions]
    allowed = [(c, c.attributes["allowed"]) for c in report.claims if "allowed" in c.attributes]
    rows += [(values[c.id], "allowed", a["who"], a["at"], a["why"]) for c, a in allowed]
    return _table(["claim", "decision", "who", "when", "why"], rows, settings) if rows else ""


@_sub("accept")
@click.argument("report")
@click.argument("claims", nargs=-1)
@click.option("--why", default="", help=say("option.why"))
@common("table")
def accept(settings: Settings, report: str, claims: tuple[str, ...], why: str) -> int:
    """Accept claims: `scan` uses them from now on."""
    return _decide(settings, report, claims, "accepted", why)


@_sub("reject")
@click.argument("report")
@click.argument("claims", nargs=-1, required=True)
@click.option("--why", default="", help=say("option.why"))
@click.option("--allow", is_flag=True, help=say("option.allow-too"))
@common("table")
def reject(settings: Settings, report: str, claims: tuple[str, ...], why: str, allow: bool) -> int:
    """Reject claims: nothing uses them any more."""
    return _decide(settings, report, claims, "rejected", why, allow_too=allow)


def _decide(
    settings: Settings, report: str, claims: tuple[str, ...], status: ClaimStatus, why: str, *, allow_too: bool = False
) -> int:
    from hinomi.flow.library import decide, find

    with _case(settings) as case:
        changed = decide(case, find(case, report), claims, status, why=why, allow_too=allow_too)
    tell(settings, text(f"library.{status}", settings.language, count=len(changed)))
    return 0


@_sub("allow")
@click.argument("kind", metavar="TYPE", required=False)
@click.argument("value", required=False)
@click.option("--why", default="", help=say("option.why"))
@click.option("--list", "show_list", is_flag=True, help=say("option.allow-list"))
@click.option("--remove", is_flag=True, help=say("option.allow-remove"))
@common("table", "json", "jsonl")
def allow(settings: Settings, kind: str | None, value: str | None, why: str, show_list: bool, remove: bool) -> int:
    """Keep the allow-list."""
    from hinomi.flow import library

    with _case(settings) as case:
        if show_list:
            rows = [(e.type, e.value, e.who, e.at, e.why) for e in case.library.allowed.entries()]
            _print(["type", "value", "who", "at", "why"], rows, settings)
            return 0
        if not kind or not value:
            raise UsageError("usage", cause="TYPE VALUE", next_step="hinomi library allow --help")
        if remove:
            library.disallow(case, kind, value)
        else:
            library.allow(case, kind, value, why=why)
    tell(
        settings, text("library.disallowed" if remove else "library.allowed", settings.language, type=kind, value=value)
    )
    return 0


@_sub("remove")
@click.argument("reports", nargs=-1, required=True, metavar="REPORT...")
@common("table")
def remove(settings: Settings, reports: tuple[str, ...]) -> int:
    """Delete reports and what only they supported."""
    from hinomi.flow import library

    with _case(settings) as case:
        for report in reports:
            gone, withdrawn = library.remove(case, report)
            tell(settings, text("library.removed", settings.language, title=gone.title, count=len(withdrawn.findings)))
    return 0


@_sub("search")
@click.argument("words", nargs=-1, required=True, metavar="WORDS...")
@common("table", "json", "jsonl")
def search(settings: Settings, words: tuple[str, ...]) -> int:
    """Search titles and texts."""
    with _case(settings) as case:
        found = case.library.search(" ".join(words))
    rows = [
        (f.report_id, f.title, f.source, list(s.span) if s.span else None, s.text) for f in found for s in f.snippets
    ]
    _print(["id", "title", "source", "span", "snippet"], rows, settings)
    if not found:
        tell(settings, text("library.nothing-found", settings.language))
    return 0


@_sub("merge")
@click.argument("reports", nargs=-1, metavar="REPORT...")
@common("table", "json")
def merge(settings: Settings, reports: tuple[str, ...]) -> int:
    """See several reports as one."""
    from hinomi.flow.library import chosen
    from hinomi.intel.merging import merge as merged

    with _case(settings) as case:
        view = merged(chosen(case, reports))
    if settings.format == "json":
        write(json.dumps(view.to_json(), ensure_ascii=False, indent=2) + "\n", settings)
    else:
        write(_merged(view, settings), settings)
    return 0


def _merged(view: MergedView, settings: Settings) -> str:
    rows: Rows = [
        (
            c.type, " = ".join((c.value, *c.names)), " ".join(x for x in (c.product, c.branch) if x), c.role,
            c.confidence, ", ".join(dict.fromkeys(v.source for v in c.voices)),
        )
        for c in view.claims
    ]  # fmt: skip
    said = _table(["type", "value", "of", "role", "confidence", "said-by"], rows, settings)
    against: Rows = [
        (
            text(f"contradiction.{c.kind}", settings.language),
            " ".join(x for x in (c.subject, c.branch) if x), c.counts,
            "; ".join(f"{v.source}: {v.value if c.kind != 'role' else v.role}" for v in c.voices),
        )
        for c in view.contradictions
    ]  # fmt: skip
    if not against:
        return said + "\n" + text("library.no-contradictions", settings.language) + "\n"
    head = text("library.contradictions", settings.language, count=len(against))
    return f"{said}\n{head}\n" + _table(["contradiction", "of", "counts", "said-by"], against, settings)


@_sub("export")
@click.argument("reports", nargs=-1, metavar="REPORT...")
@common("stix", "misp", "csv", "navigator")
def export(settings: Settings, reports: tuple[str, ...]) -> int:
    """Write reports for other tools."""
    from hinomi.flow import library

    with _case(settings) as case:
        said = library.export(library.chosen(case, reports), str(settings.format))
    write(said, settings)
    return 0


@_sub("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@online
@common("table", "json", "jsonl")
def import_reports(settings: Settings, files: tuple[str, ...], online: bool) -> int:
    """Read files of other tools into the library."""
    from hinomi.flow.library import import_files

    with _case(settings) as case:
        reports = import_files(case, files, online=online)
    return _told(reports, settings)


@_sub("pull")
@click.argument("url")
@click.option("--collection", metavar="ID", help=say("option.collection"))
@click.option("--since", metavar="TIME", help=say("option.since"))
@online
@common("table", "json", "jsonl")
def pull(settings: Settings, url: str, collection: str | None, since: str | None, online: bool) -> int:
    """Read from a TAXII 2.1 server."""
    from hinomi.flow import taxii

    with _case(settings) as case:
        reports = taxii.pull(case, url, collection=collection, since=since, online=online)
    return _told(reports, settings)


def _told(reports: Sequence[Report], settings: Settings) -> int:
    columns = ["id", "published", "claims", "source", "title", "notes"]
    _print(
        columns, [(r.id, r.published or "", len(r.claims), r.source, r.title, list(r.notes)) for r in reports], settings
    )
    return 0


def _print(columns: list[str], rows: Rows, settings: Settings) -> None:
    """Print rows as table, JSON or JSON lines; ids are short in the table."""
    if settings.format == "table":
        write(
            _table(columns, [[_cell(c, v) for c, v in zip(columns, row, strict=True)] for row in rows], settings),
            settings,
        )
        return
    objects = [dict(zip(columns, row, strict=True)) for row in rows]
    if settings.format == "jsonl":
        write("".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects), settings)
    else:
        write(json.dumps(objects, ensure_ascii=False, indent=2) + "\n", settings)


def _cell(column: str, value: object) -> object:
    if column == "id":
        return str(value).removeprefix("report--")[:12]
    if isinstance(value, list):
        return "-".join(map(str, value)) if column == "span" else "; ".join(map(str, value))
    return value


def _table(columns: Sequence[str], rows: Rows, settings: Settings) -> str:
    from hinomi.cli.tables import render_rows

    return render_rows([text(f"column.{c}", settings.language) for c in columns], rows, settings)
