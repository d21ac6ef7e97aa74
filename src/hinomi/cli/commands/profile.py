"""hinomi profile: what this host usually runs, learned, sealed, and held against what it runs now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hinomi.cli.options import common, fail_on
from hinomi.cli.output import tell, write
from hinomi.cli.results import exit_code
from hinomi.cli.settings import Settings
from hinomi.cli.show import show_scans
from hinomi.cli.signingkey import key_options, signer_of
from hinomi.cli.words import say
from hinomi.model.errors import ExitCode

if TYPE_CHECKING:
    from hinomi.flow.profiles import Verified
    from hinomi.watch.signing import Trust

_TRUST = click.option("--trust", metavar="KEY", help=say("option.profile-trust"))
_FILE = click.option("--file", type=click.Path(dir_okay=False, path_type=Path), help=say("option.profile-file"))


@click.group(
    "profile", help=say("help.profile"), short_help=say("help.profile.short"), epilog=say("help.profile.examples")
)
@click.help_option("-h", "--help", help=say("help.help"))
def COMMAND() -> None:  # noqa: N802
    """Hold the sub-commands."""


@COMMAND.command("learn", help=say("help.profile.learn"), epilog=say("help.profile.learn.examples"))
@click.option("--run", "runs", multiple=True, metavar="RUN", help=say("option.profile-run"))
@click.option("--looks", type=click.IntRange(0, 10_000), default=0, metavar="N", help=say("option.profile-looks"))
@click.option("--every", type=click.FloatRange(0), default=60.0, metavar="SECONDS", help=say("option.profile-every"))
@_FILE
@key_options
@common("table", "json")
def learn(
    settings: Settings,
    runs: tuple[str, ...],
    looks: int,
    every: float,
    file: Path | None,
    key: Path | None,
    passphrase_fd: int | None,
) -> int:
    """Learn a profile and seal it."""
    from hinomi.flow import profiles
    from hinomi.flow.checking import rules_of
    from hinomi.store.case import Case

    signer = signer_of(settings, key, passphrase_fd)
    with Case.open(settings.case) as case:
        profiles.observe(case, rules_of(case, settings.rules), looks, every)
        made = profiles.learn(case, signer, runs=runs, path=file)
    profile = made.profile
    if settings.format == "json":
        body = {"schema": "hinomi.profile-learned/1", "path": str(made.path), "host": profile.host}
        counts = {"looks": profile.looks, "programs": len(profile.programs)}
        _json({**body, **counts, "fingerprint": made.fingerprint, "left_out": list(made.left_out)}, settings)
    else:
        words = {"looks": profile.looks, "programs": len(profile.programs), "path": made.path}
        write(say("profile.learned", **words, fingerprint=made.fingerprint) + "\n", settings)
    if made.left_out:
        tell(settings, say("profile.left-out", programs=", ".join(made.left_out[:10])))
    if profile.looks < profiles.ENOUGH:
        tell(settings, say("profile.few", looks=profile.looks, enough=profiles.ENOUGH))
    return 0


@COMMAND.command("show", help=say("help.profile.show"), epilog=say("help.profile.show.examples"))
@click.argument("program", required=False)
@_FILE
@_TRUST
@common("table", "json")
def show(settings: Settings, program: str | None, file: Path | None, trust: str | None) -> int:
    """Show what a profile knows."""
    found = _verified(settings, file, trust)
    profile = found.sealed.profile
    chosen = {name: h for name, h in sorted(profile.programs.items()) if program is None or program in name}
    if settings.format == "json":
        body = json.loads(profile.to_bytes())
        _json({**body, "programs": {name: habits.to_json() for name, habits in chosen.items()}}, settings)
        return 0
    from hinomi.cli.tables import render_rows

    rows = [
        (name, f"{h.looks}/{profile.looks}", *(_most(h.values[kind]) for kind in ("user", "parent", "listens")))
        for name, h in chosen.items()
    ]
    write(render_rows(["", *(say(f"profile.column.{c}") for c in _COLUMNS)], rows, settings), settings)
    return 0


_COLUMNS = ("looks", "user", "parent", "listens")


@COMMAND.command("verify", help=say("help.profile.verify"), epilog=say("help.profile.verify.examples"))
@_FILE
@_TRUST
@common("table", "json")
def verify(settings: Settings, file: Path | None, trust: str | None) -> int:
    """Tell whether a profile is as it was sealed, and the last one that was."""
    found = _verified(settings, file, trust)
    profile, seal = found.sealed.profile, found.sealed.seal
    if settings.format == "json":
        body = {"schema": "hinomi.profile-verified/1", "path": str(found.path), "host": profile.host}
        _json({**body, "fingerprint": seal.fingerprint, "newest": found.newest, "trusted": found.trusted}, settings)
    else:
        state = "profile.holds" if found.newest else "profile.older"
        write(say(state, path=found.path, fingerprint=seal.fingerprint) + "\n", settings)
        if not found.trusted:
            tell(settings, say("profile.untrusted"))
    return 0 if found.newest else int(ExitCode.FINDINGS)


@COMMAND.command("check", help=say("help.profile.check"), epilog=say("help.profile.check.examples"))
@click.option("--run", metavar="RUN", help=say("option.profile-check-run"))
@_TRUST
@fail_on
@common("table", "json", "jsonl")
def check(settings: Settings, run: str | None, trust: str | None) -> int:
    """Hold what this host runs against its profile."""
    from hinomi.flow import profiles
    from hinomi.flow.checking import rules_of
    from hinomi.store.case import Case

    with Case.open(settings.case) as case:
        if run is not None:
            _show_deviations(list(profiles.compared(case, run, trust=_trust(trust))), settings)
            return 0
        _, result = profiles.check(case, rules_of(case, settings.rules), trust=_trust(trust))
        made = case.clock().isoformat()
    look = show_scans([result], made, settings)
    return exit_code(look.findings, look.coverage, settings.fail_on)


def _show_deviations(found: list[tuple[Any, Any]], settings: Settings) -> None:
    rows = [vars(row) for _, row in found]
    if settings.format == "json":
        _json(rows, settings)
    elif settings.format == "jsonl":
        write("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), settings)
    else:
        from hinomi.cli.tables import render_rows

        cells = [(f"{r['pid']}", r["program"], r["kind"], r["value"], f"{r['surprise']}") for r in rows]
        write(render_rows(["pid", "", "", "", say("profile.column.surprise")], cells, settings), settings)


def _verified(settings: Settings, file: Path | None, trust: str | None) -> Verified:
    from hinomi.flow.profiles import verified
    from hinomi.store.case import Case

    with Case.open(settings.case) as case:
        return verified(case, path=file, trust=_trust(trust))


def _trust(text: str | None) -> Trust | None:
    from hinomi.watch.signing import trust_from

    return trust_from(text) if text else None


def _most(counter: Any) -> str:
    return ", ".join(value for value, _ in counter.most_common(3))


def _json(body: Any, settings: Settings) -> None:
    write(json.dumps(body, ensure_ascii=False, indent=2) + "\n", settings)
