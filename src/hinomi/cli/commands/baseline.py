"""hinomi baseline: what a target is, signed; what differs from it now; what of that becomes right."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hinomi.cli.options import common, fail_on
from hinomi.cli.output import tell, write
from hinomi.cli.progress import progress
from hinomi.cli.results import exit_code
from hinomi.cli.scanoptions import scan_options
from hinomi.cli.settings import Settings
from hinomi.cli.signingkey import key_options, signer_of
from hinomi.cli.words import say
from hinomi.evidence.images.kinds import OPENED
from hinomi.evidence.options import ScanOptions

FORMATS = ("table", "json", "jsonl", "csv", "sarif", "ocsf", "stix", "md", "html")
_KIND = click.option("--as", "kind", type=click.Choice(OPENED), help=say("option.as"))
_TRUST = click.option("--trust", metavar="KEY", help=say("option.trust"))
_FILE = click.option(
    "--baseline", "file", type=click.Path(dir_okay=False, path_type=Path), help=say("option.baseline-file")
)


@click.group(
    "baseline", help=say("help.baseline"), short_help=say("help.baseline.short"), epilog=say("help.baseline.examples")
)
@click.help_option("-h", "--help", help=say("help.help"))
def COMMAND() -> None:  # noqa: N802
    """Hold the sub-commands."""


@COMMAND.command("create", help=say("help.baseline.create"), epilog=say("help.baseline.create.examples"))
@click.argument("target", default="/", metavar="[TARGET]")
@_KIND
@_FILE
@key_options
@scan_options
@common("table", "json")
def create(
    settings: Settings,
    target: str,
    kind: str | None,
    file: Path | None,
    key: Path | None,
    passphrase_fd: int | None,
    options: ScanOptions,
) -> int:
    """Measure a target and seal what it is."""
    from hinomi.cli.baselinetable import baseline_text
    from hinomi.flow.baseline_viewing import is_part_of_a_system
    from hinomi.flow.baselines import create as make
    from hinomi.model.errors import ExitCode
    from hinomi.store.case import Case

    signer = signer_of(settings, key, passphrase_fd)
    with Case.open(settings.case) as case, progress(settings) as report_progress:
        made, coverage = make(case, target, signer, kind=kind, options=options, to=file, progress=report_progress)
    write(baseline_text(made, settings, coverage), settings)
    if is_part_of_a_system(made):
        tell(settings, say("baseline.no-system", target=made.manifest.target))
    return int(ExitCode.OK if coverage.complete else ExitCode.INCOMPLETE)


@COMMAND.command("verify", help=say("help.baseline.verify"), epilog=say("help.baseline.verify.examples"))
@click.argument("target", default="/", metavar="[TARGET]")
@_KIND
@_FILE
@_TRUST
@click.option("--expect", type=click.IntRange(1), metavar="N", help=say("option.expect"))
@click.option("--quick", is_flag=True, help=say("option.quick"))
@click.option("--sample", type=click.IntRange(0), metavar="N", help=say("option.sample"))
@click.option("--seed", type=click.IntRange(0), metavar="N", help=say("option.seed"))
@click.option("--no-cross-view", is_flag=True, help=say("option.no-cross-view"))
@scan_options
@fail_on
@common(*FORMATS)
def verify(
    settings: Settings,
    target: str,
    kind: str | None,
    file: Path | None,
    trust: str | None,
    expect: int | None,
    quick: bool,
    sample: int | None,
    seed: int | None,
    no_cross_view: bool,
    options: ScanOptions,
) -> int:
    """Compare a target with its baseline; what nothing explains becomes findings."""
    import secrets

    from hinomi.cli.baselinetable import verified_text
    from hinomi.cli.show import show_scans
    from hinomi.flow import baselines
    from hinomi.flow.checking import rules_of
    from hinomi.store.case import Case
    from hinomi.watch.signing import trust_from

    look = None
    if quick:
        drawn = secrets.randbits(32) if seed is None else seed
        look = baselines.Quick(baselines.SAMPLE if sample is None else sample, drawn)
    with Case.open(settings.case) as case, progress(settings) as report_progress:
        found = baselines.verify(
            case,
            target,
            rules_of(case, settings.rules),
            trust=trust_from(trust) if trust else None,
            path=file,
            expect=expect,
            quick=look,
            cross_view=not no_cross_view,
            kind=kind,
            options=options,
            progress=report_progress,
        )
        made = case.clock().isoformat()
    tell(settings, verified_text(found))
    document = show_scans([found.result], made, settings)
    return exit_code(document.findings, document.coverage, settings.fail_on)


@COMMAND.command("accept", help=say("help.baseline.accept"), epilog=say("help.baseline.accept.examples"))
@click.argument("target", default="/", metavar="[TARGET]")
@click.option("--because", required=True, metavar="TEXT", help=say("option.because"))
@click.option("--path", "patterns", multiple=True, metavar="GLOB", help=say("option.accept-path"))
@click.option("--explained", is_flag=True, help=say("option.explained"))
@_KIND
@_FILE
@_TRUST
@key_options
@common("table", "json")
def accept(
    settings: Settings,
    target: str,
    because: str,
    patterns: tuple[str, ...],
    explained: bool,
    kind: str | None,
    file: Path | None,
    trust: str | None,
    key: Path | None,
    passphrase_fd: int | None,
) -> int:
    """Take over what the last verification showed into the next baseline."""
    from hinomi.cli.baselinetable import accepted_text
    from hinomi.flow import baselines
    from hinomi.model.errors import ExitCode
    from hinomi.store.case import Case
    from hinomi.watch.signing import trust_from

    signer = signer_of(settings, key, passphrase_fd)
    with Case.open(settings.case) as case:
        done = baselines.accept(
            case,
            target,
            signer,
            because,
            patterns=patterns,
            explained_only=explained,
            trust=trust_from(trust) if trust else None,
            kind=kind,
            to=file,
        )
    write(accepted_text(done, settings), settings)
    return int(ExitCode.INCOMPLETE if done.moved_on else ExitCode.OK)


@COMMAND.command("show", help=say("help.baseline.show"), epilog=say("help.baseline.show.examples"))
@click.argument("target", default="/", metavar="[TARGET]")
@click.option("--path", "patterns", multiple=True, metavar="GLOB", help=say("option.show-path"))
@click.option("--changes", is_flag=True, help=say("option.changes"))
@click.option("--unexplained", is_flag=True, help=say("option.unexplained"))
@_FILE
@_TRUST
@common("table", "json", "jsonl", "csv")
def show(
    settings: Settings,
    target: str,
    patterns: tuple[str, ...],
    changes: bool,
    unexplained: bool,
    file: Path | None,
    trust: str | None,
) -> int:
    """Show what a baseline says, its entries, or the changes of the last verification."""
    from hinomi.cli import baselinetable
    from hinomi.flow import baseline_viewing
    from hinomi.store.case import Case
    from hinomi.watch.signing import trust_from

    with Case.open(settings.case) as case:
        if changes or unexplained:
            rows = baseline_viewing.last_changes(case, target, patterns, unexplained=unexplained)
            write(baselinetable.changes_text(rows, settings), settings)
            return 0
        shown = baseline_viewing.shown(case, target, path=file, trust=trust_from(trust) if trust else None)
        if patterns:
            write(baselinetable.entries_text(baseline_viewing.entries(shown, patterns), settings), settings)
        else:
            write(baselinetable.chain_text(shown, settings), settings)
    return 0 if shown.fault is None else 1


@COMMAND.command("diff", help=say("help.baseline.diff"), epilog=say("help.baseline.diff.examples"))
@click.argument("targets", nargs=-1, metavar="[OLD NEW]")
@click.option("--old", metavar="RUN", help=say("option.old"))
@click.option("--new", metavar="RUN", help=say("option.new"))
@_KIND
@common("table", "json", "jsonl")
def diff(settings: Settings, targets: tuple[str, ...], old: str | None, new: str | None, kind: str | None) -> int:
    """Show what changed between two scans, or what differs between two targets or baseline files."""
    from hinomi.flow.comparing import difference, difference_of_targets
    from hinomi.model.errors import UsageError
    from hinomi.store.case import Case

    if len(targets) not in (0, 2):
        raise UsageError("baseline.need-two", place=" ".join(targets), cause="two targets are compared")
    with Case.open(settings.case) as case:
        if targets:
            changes = difference_of_targets(case, targets[0], targets[1], kind=kind)
        else:
            _, _, changes = difference(case, old, new)
    if settings.format == "table":
        from hinomi.cli.tables import render_rows

        rows = [(c.what, c.path, ", ".join(c.attributes)) for c in changes]
        write(render_rows(["", "path", "attributes"], rows, settings), settings)
    elif settings.format == "jsonl":
        write("".join(json.dumps(c.to_json(), ensure_ascii=False) + "\n" for c in changes), settings)
    else:
        write(json.dumps([c.to_json() for c in changes], ensure_ascii=False, indent=2) + "\n", settings)
    counts = {what: sum(c.what == what for c in changes) for what in ("added", "removed", "changed")}
    tell(settings, say("baseline.summary", **counts))
    return 0


@COMMAND.command("key", help=say("help.baseline.key"), epilog=say("help.baseline.key.examples"))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--no-passphrase", is_flag=True, help=say("option.no-passphrase"))
@click.option("--passphrase-fd", type=click.IntRange(0), metavar="N", help=say("option.passphrase-fd"))
@common("table", "json")
def key(settings: Settings, file: Path, no_passphrase: bool, passphrase_fd: int | None) -> int:
    """Make a signing key and its public half beside it."""
    from hinomi.cli.signingkey import passphrase
    from hinomi.watch.signing import new_key

    made = new_key(file, None if no_passphrase else passphrase(file, passphrase_fd, new=True) or b"")
    if settings.format == "json":
        body = {"key": str(file), "public": f"{file}.pub", "fingerprint": made.fingerprint}
        write(json.dumps(body, ensure_ascii=False, indent=2) + "\n", settings)
    else:
        write(say("signing.made", path=str(file), fingerprint=made.fingerprint) + "\n", settings)
    return 0
