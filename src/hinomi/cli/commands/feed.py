"""hinomi feed: RSS and Atom feeds, each new story a report."""

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

if TYPE_CHECKING:
    from hinomi.store.case import Case


@click.group("feed", help=say("help.feed"), short_help=say("help.feed.short"), epilog=say("help.feed.examples"))
@click.help_option("-h", "--help", help=say("help.help"))
def COMMAND() -> None:  # noqa: N802
    """Hold the sub-commands."""


def _case(settings: Settings) -> Case:
    from hinomi.store.case import Case

    return Case.open(settings.case)


def _sub(name: str) -> Callable[[Callable[..., int]], click.Command]:
    return COMMAND.command(name, help=say(f"help.feed.{name}"), epilog=say("help.feed.examples"))


@_sub("add")
@click.argument("sources", nargs=-1, required=True, metavar="URL|FILE...")
@common("table")
def add(settings: Settings, sources: tuple[str, ...]) -> int:
    """Follow feeds."""
    from hinomi.flow import feeds

    with _case(settings) as case:
        added = feeds.add(case, sources)
    tell(settings, text("feed.added", settings.language, count=len(added)))
    return 0


@_sub("remove")
@click.argument("source", metavar="URL|FILE")
@common("table")
def remove(settings: Settings, source: str) -> int:
    """Follow a feed no more."""
    from hinomi.flow import feeds

    with _case(settings) as case:
        feeds.remove(case, source)
    tell(settings, text("feed.removed", settings.language, feed=source))
    return 0


@_sub("list")
@common("table", "json", "jsonl")
def list_feeds(settings: Settings) -> int:
    """List the feeds."""
    from hinomi.flow import feeds

    with _case(settings) as case:
        found = feeds.store_of(case).feeds()
    columns = ["feed", "title", "stories", "fetched"]
    _print(columns, [(f.url, f.title, f.stories, f.fetched_at) for f in found], settings)
    return 0


@_sub("fetch")
@click.argument("sources", nargs=-1, metavar="[URL|FILE]...")
@online
@common("table", "json", "jsonl")
def fetch(settings: Settings, sources: tuple[str, ...], online: bool) -> int:
    """Read the new stories."""
    from hinomi.flow import feeds

    with _case(settings) as case:
        looks = feeds.fetch_feeds(case, sources, online=online)
    columns = ["feed", "id", "published", "claims", "title"]
    rows = [(look.feed, r.id, r.published, len(r.claims), r.title) for look in looks for r in look.new]
    _print(columns, rows, settings)
    for look in looks:
        if look.skipped:
            reason = text("feed.offline", settings.language) if look.skipped == "offline" else look.skipped
            tell(settings, text("feed.skipped", settings.language, feed=look.feed, reason=reason))
            continue
        counts = {"new": len(look.new), "known": look.known, "duplicates": len(look.duplicates), "left": look.left}
        tell(settings, text("feed.looked", settings.language, feed=look.feed, **counts))
        for failure in look.failed:
            tell(settings, text("feed.failed", settings.language, story=failure))
    return 3 if any(look.failed or (look.skipped and look.skipped != "offline") for look in looks) else 0


def _print(columns: list[str], rows: Sequence[Sequence[object]], settings: Settings) -> None:
    if settings.format == "table":
        from hinomi.cli.tables import render_rows

        write(render_rows([text(f"column.{c}", settings.language) for c in columns], rows, settings), settings)
        return
    objects = [dict(zip(columns, row, strict=True)) for row in rows]
    lines = "".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects)
    write(lines if settings.format == "jsonl" else json.dumps(objects, ensure_ascii=False, indent=2) + "\n", settings)
