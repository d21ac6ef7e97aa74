"""Options common to every command, from the command line, `HINOMI_*` and `hinomi.toml`, in that order of strength."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hinomi.model.errors import ConfigError
from hinomi.model.text import Language

if TYPE_CHECKING:
    from hinomi.store.case import CasePlace

KEYS = {
    "case": str,
    "state": str,
    "format": str,
    "lang": str,
    "fail_on": str,
    "rules": list,
    "color": bool,
    "organisation": dict,
    "watch": dict,
}
ORGANISATION_KEYS = {"name": str, "sectors": list, "countries": list}
ENVIRONMENT = {
    "HINOMI_CASE",
    "HINOMI_STATE",
    "HINOMI_FORMAT",
    "HINOMI_LANG",
    "HINOMI_FAIL_ON",
    "HINOMI_RULES",
    "HINOMI_COLOR",
    "HINOMI_CONFIG",
    "HINOMI_PASSPHRASE",
    "HINOMI_PURE",  # at the build and at run time: leave the compiled core out
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a command runs with."""

    language: Language = "en"
    case: CasePlace | None = None
    format: str | None = None
    output: Path | None = None
    fail_on: str = "high"
    rules: tuple[Path, ...] = ()
    verbosity: int = 0  # -1 quiet, 0 normal, 1 verbose, 2 debug
    color: bool | None = None
    organisation: Mapping[str, Any] = field(default_factory=dict)
    watch: Mapping[str, Any] = field(default_factory=dict)


def load_file(folder: Path | None = None, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Read `HINOMI_CONFIG`, else `hinomi.toml` of the working folder, else of the XDG configuration folder."""
    path = _config_path(folder or Path.cwd(), environment)
    if path is None:
        return {}
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError("config.unreadable", place=str(path), cause=str(error), next_step="mend the file") from error
    _check(values, KEYS, str(path))
    _check(values.get("organisation", {}), ORGANISATION_KEYS, f"{path} [organisation]")
    return values


def check_environment(environment: Mapping[str, str] = os.environ) -> None:
    """Raise `ConfigError` for a `HINOMI_*` variable that nothing reads."""
    for name in sorted(environment):
        if name.startswith("HINOMI_") and name not in ENVIRONMENT:
            raise _unknown(name, "environment", ENVIRONMENT)


def _config_path(folder: Path, environment: Mapping[str, str]) -> Path | None:
    if named := environment.get("HINOMI_CONFIG"):
        return Path(named)
    home = environment.get("XDG_CONFIG_HOME")
    candidates = [folder / "hinomi.toml", (Path(home) if home else Path.home() / ".config") / "hinomi" / "hinomi.toml"]
    return next((path for path in candidates if path.is_file()), None)


def _check(values: Mapping[str, Any], known: Mapping[str, type], place: str) -> None:
    for key, value in values.items():
        if key not in known:
            raise _unknown(key, place, known)
        if not isinstance(value, known[key]):
            raise ConfigError(
                "config.wrong-type", place=f"{place}: {key}", cause=f"{type(value).__name__}, not {known[key].__name__}"
            )


def _unknown(key: str, place: str, known: Mapping[str, Any] | set[str]) -> ConfigError:
    close = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
    step = f"did you mean {close[0]}?" if close else f"known: {', '.join(sorted(known))}"
    return ConfigError("config.unknown-key", place=place, cause=key, next_step=step)
