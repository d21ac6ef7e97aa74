"""Every error Hinomi raises on purpose: a code, the place, the cause and the next step.

`code` keys the text in the locale catalogue; `place`, `cause` and `next_step` are plain English fallbacks and the
values that the catalogue's template takes. The terminal edge alone turns an error into words.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command (contract)."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    INCOMPLETE = 3
    BAD_RULE_OR_CONFIG = 4
    PERMISSION = 5
    INTERNAL = 10


class HinomiError(Exception):
    """The root of our errors. Parsers of outside input never raise anything else."""

    exit_code: ExitCode = ExitCode.INTERNAL

    def __init__(self, code: str, *, place: str = "", cause: str = "", next_step: str = "") -> None:
        super().__init__(f"{code}: {place}: {cause}" if place else f"{code}: {cause}")
        self.code = code
        self.place = place
        self.cause = cause
        self.next_step = next_step


class UsageError(HinomiError):
    """The command line asks for something that cannot be done as asked."""

    exit_code = ExitCode.USAGE


class ConfigError(HinomiError):
    """`hinomi.toml` or a `HINOMI_*` variable is wrong."""

    exit_code = ExitCode.BAD_RULE_OR_CONFIG


class RuleError(HinomiError):
    """A rule, case, playbook or advisory file is wrong."""

    exit_code = ExitCode.BAD_RULE_OR_CONFIG


class ReportError(HinomiError):
    """A report cannot be read at all (missing, empty, binary, unknown format)."""

    exit_code = ExitCode.USAGE


class TargetError(HinomiError):
    """A target cannot be examined at all (missing, not a root, unknown format)."""

    exit_code = ExitCode.USAGE


class PermissionDeniedError(HinomiError):
    """The case or the target refuses access to this user."""

    exit_code = ExitCode.PERMISSION


class CaseError(HinomiError):
    """The case folder is damaged, of a newer version or in use."""

    exit_code = ExitCode.USAGE


class ParseError(HinomiError):
    """One crafted, truncated or unknown input. Caught at the collector's border and told in the coverage."""
