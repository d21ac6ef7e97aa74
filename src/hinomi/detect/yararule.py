"""YARA rule files: their `meta:` words, and the compiler that all of them share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hinomi.detect.rule import Rule
from hinomi.detect.rulefile import WordReader, make_rule
from hinomi.detect.yamlfile import read_bounded
from hinomi.model.errors import RuleError

IN_MEMORY = "in_memory"  # a variable that conditions may ask: true for a process's memory, false for a file
_BILINGUAL = ("title", "explanation", "falsepositives")


def identifier(rule_id: str) -> str:
    """Return the YARA identifier of a rule id (YARA knows no hyphens)."""
    return rule_id.replace("-", "_")


def read_yara_rule(path: Path) -> Rule:
    """Read one YARA rule file; `RuleError` with file, line and column for anything wrong."""
    source = read_bounded(path)
    compiled = compile_sources({path.stem: source}, path)
    public = [rule for rule in compiled if rule.identifier == identifier(path.stem)]
    if len(public) != 1:
        raise RuleError("rule.yara-name", place=str(path), cause=f"no rule named {identifier(path.stem)}")
    words = _words(public[0].metadata)
    reader = WordReader(words, path, {})
    return make_rule(reader, rule_id=path.stem, kind="yara", body=source, path=path, level="severity")


def compile_sources(sources: dict[str, str], path: Path | None = None) -> Any:
    """Compile YARA sources by rule id, each in a namespace of its own; `RuleError` with the place."""
    import yara_x

    compiler = yara_x.Compiler(relaxed_re_syntax=False)
    compiler.define_global(IN_MEMORY, False)
    for rule_id, source in sources.items():
        compiler.new_namespace(rule_id)
        try:
            compiler.add_source(source, origin=str(path or rule_id))
        except yara_x.CompileError as error:
            raise RuleError("rule.yara", place=_place(compiler, path, rule_id), cause=_first_line(error)) from error
    return compiler.build()


def compile_warnings(rule: Rule) -> list[dict[str, Any]]:
    """Return what the compiler warns of in one rule."""
    import yara_x

    compiler = yara_x.Compiler(relaxed_re_syntax=False)
    compiler.define_global(IN_MEMORY, False)
    compiler.add_source(rule.body, origin=str(rule.path))
    return list(compiler.warnings())


def _words(metadata: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """Turn `title_en`, `title_ja` … into the mapping that SQL rules have."""
    flat = dict(metadata)
    result = {k: v for k, v in flat.items() if not k.endswith(("_en", "_ja"))}
    for key in _BILINGUAL:
        pair = {language: flat[f"{key}_{language}"] for language in ("en", "ja") if f"{key}_{language}" in flat}
        if pair:
            result[key] = pair
    return result


def _place(compiler: Any, path: Path | None, rule_id: str) -> str:
    where = str(path or rule_id)
    errors = compiler.errors()
    return f"{where}:{errors[0]['line']}:{errors[0]['column']}" if errors else where


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
