"""Decide what is kept: accept, reject, allow, remove."""

from __future__ import annotations

import click

from hinomi.cli.library.group import opened, print_rows, sub
from hinomi.cli.options import common
from hinomi.cli.output import tell
from hinomi.cli.settings import Settings
from hinomi.cli.words import say
from hinomi.locale.catalogue import text
from hinomi.model.claims import ClaimStatus
from hinomi.model.errors import UsageError


@sub("accept")
@click.argument("report")
@click.argument("claims", nargs=-1)
@click.option("--why", default="", help=say("option.why"))
@common("table")
def accept(settings: Settings, report: str, claims: tuple[str, ...], why: str) -> int:
    """Accept claims: `scan` uses them from now on."""
    return _decide(settings, report, claims, "accepted", why)


@sub("reject")
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

    with opened(settings) as case:
        changed = decide(case, find(case, report), claims, status, why=why, allow_too=allow_too)
    tell(settings, text(f"library.{status}", settings.language, count=len(changed)))
    return 0


@sub("allow")
@click.argument("kind", metavar="TYPE", required=False)
@click.argument("value", required=False)
@click.option("--why", default="", help=say("option.why"))
@click.option("--list", "show_list", is_flag=True, help=say("option.allow-list"))
@click.option("--remove", is_flag=True, help=say("option.allow-remove"))
@common("table", "json", "jsonl")
def allow(settings: Settings, kind: str | None, value: str | None, why: str, show_list: bool, remove: bool) -> int:
    """Keep the allow-list."""
    from hinomi.flow import library

    with opened(settings) as case:
        if show_list:
            rows = [(e.type, e.value, e.who, e.at, e.why) for e in case.library.allowed.entries()]
            print_rows(["type", "value", "who", "at", "why"], rows, settings)
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


@sub("remove")
@click.argument("reports", nargs=-1, required=True, metavar="REPORT...")
@common("table")
def remove(settings: Settings, reports: tuple[str, ...]) -> int:
    """Delete reports and what only they supported."""
    from hinomi.flow import library

    with opened(settings) as case:
        for report in reports:
            gone, withdrawn = library.remove(case, report)
            tell(settings, text("library.removed", settings.language, title=gone.title, count=len(withdrawn.findings)))
    return 0
