"""hinomi rule: list, new, test, lint, import."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hinomi.cli.options import common
from hinomi.cli.output import tell, write
from hinomi.cli.settings import Settings
from hinomi.cli.words import say
from hinomi.model.errors import ExitCode

MAX_PROBLEMS = 20  # shown; all of them are in the JSON
RULES = click.option(
    "--rules", "rules", multiple=True, type=click.Path(exists=True, path_type=Path), help=say("option.rules")
)


@click.group("rule", help=say("help.rule"), short_help=say("help.rule.short"), epilog=say("help.rule.examples"))
@click.help_option("-h", "--help", help=say("help.help"))
def COMMAND() -> None:  # noqa: N802
    """Hold the sub-commands."""


@COMMAND.command("list", help=say("help.rule.list"), epilog=say("help.rule.examples"))
@click.option("--threat", multiple=True, help=say("option.threat"))
@RULES
@common("table", "json", "jsonl")
def list_rules(settings: Settings, threat: tuple[str, ...]) -> int:
    """List the rules."""
    from hinomi.flow.rules import catalogue_of

    catalogue = catalogue_of(settings.case, settings.rules).select(threats=threat)
    columns = ["id", "kind", "severity", "confidence", "title", "attack", "threats"]
    rows = [
        (
            r.id,
            r.kind,
            r.severity,
            r.confidence,
            r.title.in_language(settings.language),
            " ".join(r.attack),
            ", ".join(r.threats),
        )
        for r in catalogue
    ]
    if settings.format == "table":
        from hinomi.cli.tables import render_rows

        write(render_rows(columns, rows, settings), settings)
    else:
        objects = [dict(zip(columns, row, strict=True)) for row in rows]
        _objects(objects, settings)
    return int(ExitCode.BAD_RULE_OR_CONFIG if catalogue.errors else ExitCode.OK)


@COMMAND.command("test", help=say("help.rule.test"), epilog=say("help.rule.examples"))
@click.argument("ids", nargs=-1)
@RULES
@common("table", "json", "jsonl")
def test(settings: Settings, ids: tuple[str, ...]) -> int:
    """Run the cases of rules."""
    from hinomi.flow.rules import catalogue_of, selected
    from hinomi.flow.rules import test as run_cases

    results = run_cases(selected(catalogue_of(settings.case, settings.rules), ids, settings.rules))
    failed = [r for r in results if not r.passed]
    if settings.format == "table":
        lines = [f"{r.rule_id}: {r.case}: {'; '.join(r.problems)}" for r in failed]
        lines.append(say("rule.tested", passed=len(results) - len(failed), failed=len(failed)))
        write("\n".join(lines) + "\n", settings)
    else:
        _objects([r.to_json() for r in results], settings)
    return int(ExitCode.BAD_RULE_OR_CONFIG if failed else ExitCode.OK)


@COMMAND.command("lint", help=say("help.rule.lint"), epilog=say("help.rule.examples"))
@click.argument("ids", nargs=-1)
@RULES
@common("table", "json", "jsonl")
def lint(settings: Settings, ids: tuple[str, ...]) -> int:
    """Check rule files."""
    from hinomi.flow.rules import catalogue_of, selected
    from hinomi.flow.rules import lint as run_lint

    catalogue = selected(catalogue_of(settings.case, settings.rules), ids, settings.rules)
    problems = run_lint(catalogue)
    if settings.format == "table":
        lines = [f"{p['place']}: {p['problem']}" for p in problems]
        lines.append(say("rule.linted", rules=len(catalogue), problems=len(problems)))
        write("\n".join(lines) + "\n", settings)
    else:
        _objects(problems, settings)
    return int(ExitCode.BAD_RULE_OR_CONFIG if problems else ExitCode.OK)


@COMMAND.command("new", help=say("help.rule.new"), epilog=say("help.rule.examples"))
@click.argument("rule_id", metavar="ID")
@click.option("--kind", type=click.Choice(("sql", "yara")), default="sql", help=say("option.kind"))
@click.option("--folder", type=click.Path(path_type=Path), default=Path("rules"), help=say("option.folder"))
@common("table")
def new(settings: Settings, rule_id: str, kind: str, folder: Path) -> int:
    """Write the files of a new rule."""
    from hinomi.flow.rules import new as write_new

    for path in write_new(rule_id, kind, folder):
        tell(settings, say("rule.written", path=str(path)))
    return 0


@COMMAND.command("import", help=say("help.rule.import"), epilog=say("help.rule.import.examples"))
@click.argument("sources", nargs=-1, required=True, metavar="FILE...")
@click.option("--online", is_flag=True, help=say("option.online"))
@common("table", "json")
def import_advisories(settings: Settings, sources: tuple[str, ...], online: bool) -> int:
    """Keep advisories in the case."""
    from hinomi.flow.advisories import import_advisories as keep
    from hinomi.store.case import Case

    with Case.open(settings.case) as case:
        result = keep(case, sources, online=online)
        advisories, exploited = case.advisories.counts()
    if settings.format == "table":
        for place, cause in result.problems[:MAX_PROBLEMS]:
            tell(settings, say("rule.import.problem", place=place, cause=cause))
        said = say("rule.imported", advisories=result.advisories, exploited=result.exploited)
        rest = say("rule.imported.rest", withdrawn=result.withdrawn, not_checkable=result.not_checkable)
        held = say("rule.imported.held", advisories=advisories, exploited=exploited, problems=len(result.problems))
        write(f"{said} {rest}\n{held}\n", settings)
    else:
        write(json.dumps(result.to_json(), ensure_ascii=False, indent=2) + "\n", settings)
    return int(ExitCode.INCOMPLETE if result.problems else ExitCode.OK)


def _objects(objects: object, settings: Settings) -> None:
    if settings.format == "jsonl" and isinstance(objects, list):
        write("".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects), settings)
    else:
        write(json.dumps(objects, ensure_ascii=False, indent=2) + "\n", settings)
