"""The options that every command takes after its own name, gathered into one `Settings`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hinomi.cli.settings import Settings, check_environment, load_file
from hinomi.cli.words import language, say
from hinomi.model.errors import ConfigError

if TYPE_CHECKING:
    from hinomi.store.case import CasePlace

F = TypeVar("F", bound=Callable[..., Any])
SEVERITIES = ("info", "low", "medium", "high", "critical", "never")


def common(*formats: str) -> Callable[[F], F]:
    """Add the common options; `formats` are what `--format` takes, the first being the default.

    The command receives one `settings: Settings`.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def run(**values: Any) -> Any:
            return function(settings=_settings(values, formats), **values)

        wrapped: Any = run
        for option in reversed(_options(formats)):
            wrapped = option(wrapped)
        result: F = wrapped
        return result

    return decorate


def fail_on(function: F) -> F:
    """Add `--fail-on` and `--rules`, for the commands that give findings."""
    function = click.option("--fail-on", "fail_on", type=click.Choice(SEVERITIES), help=say("option.fail-on"))(function)
    return click.option(
        "--rules", "rules", multiple=True, type=click.Path(exists=True, path_type=Path), help=say("option.rules")
    )(function)


def online(function: F) -> F:
    """Add `--online`: without it nothing connects."""
    return click.option("--online", is_flag=True, help=say("option.online"))(function)


def _options(formats: tuple[str, ...]) -> list[Callable[[Any], Any]]:
    return [
        click.option("--case", "case", type=click.Path(file_okay=False, path_type=Path), help=say("option.case")),
        click.option("--format", "format_", type=click.Choice(formats), help=say("option.format", default=formats[0])),
        click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help=say("option.output")),
        click.option("--lang", type=click.Choice(("ja", "en")), help=say("option.lang")),
        click.option("-q", "--quiet", is_flag=True, help=say("option.quiet")),
        click.option("-v", "--verbose", is_flag=True, help=say("option.verbose")),
        click.option("--debug", is_flag=True, help=say("option.debug")),
        click.option("--no-color", is_flag=True, help=say("option.no-color")),
        click.help_option("-h", "--help", help=say("help.help")),
    ]


def _settings(values: dict[str, Any], formats: tuple[str, ...]) -> Settings:
    """Take the common values out of `values` and join them with the environment and the file."""
    import os

    check_environment()
    file = load_file()
    taken = {k: values.pop(k) for k in ("case", "format_", "output", "lang", "quiet", "verbose", "debug", "no_color")}
    folder = taken["case"] or os.environ.get("HINOMI_CASE") or file.get("case")
    state = os.environ.get("HINOMI_STATE") or file.get("state")
    chosen = taken["format_"] or _known(os.environ.get("HINOMI_FORMAT") or file.get("format"), formats)
    return Settings(
        language=taken["lang"]
        or ("ja" if file.get("lang") == "ja" and "HINOMI_LANG" not in os.environ else language()),
        case=_place(folder, state),
        format=chosen or formats[0],
        output=taken["output"],
        fail_on=_fail_on(values.pop("fail_on", None) or os.environ.get("HINOMI_FAIL_ON") or file.get("fail_on")),
        rules=_rules(values.pop("rules", ()), os.environ.get("HINOMI_RULES", ""), file.get("rules", [])),
        verbosity=2 if taken["debug"] else 1 if taken["verbose"] else -1 if taken["quiet"] else 0,
        color=False if taken["no_color"] or "NO_COLOR" in os.environ else file.get("color"),
        organisation=file.get("organisation", {}),
        watch=file.get("watch", {}),
    )


def _place(folder: str | Path | None, state: str | None) -> CasePlace | None:
    if not folder and not state:
        return None
    from hinomi.store.case import CasePlace

    return CasePlace(Path(folder) if folder else None, state or None)


def _known(wanted: str | None, formats: tuple[str, ...]) -> str | None:
    """A default format from the environment or file holds where the command knows it."""
    return wanted if wanted in formats else None


def _fail_on(value: str | None) -> str:
    if value is not None and value not in SEVERITIES:
        raise ConfigError("config.wrong-value", place="fail_on", cause=value, next_step=", ".join(SEVERITIES))
    return value or "high"


def _rules(given: tuple[Path, ...], environment: str, file: list[str]) -> tuple[Path, ...]:
    if given:
        return given
    if environment:
        return tuple(Path(p) for p in environment.split(":"))
    return tuple(Path(p) for p in file)
