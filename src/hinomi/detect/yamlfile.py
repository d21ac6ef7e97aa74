"""YAML of rule and case files: read safely, with places for error messages, and never beyond bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from hinomi.model.errors import RuleError

MAX_RULE_BYTES = 1 << 20
MAX_NODES = 100_000
MAX_DEPTH = 24

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_bounded(path: Path) -> str:
    """Return a rule file's text; `RuleError` for what is missing, too large or not UTF-8."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_RULE_BYTES + 1)
    except OSError as error:
        raise RuleError("rule.unreadable", place=str(path), cause=error.strerror or "unreadable") from error
    if len(data) > MAX_RULE_BYTES:
        raise RuleError("rule.too-large", place=str(path), cause=f"more than {MAX_RULE_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RuleError("rule.encoding", place=str(path), cause=f"not UTF-8 at byte {error.start}") from error


def load_yaml(text: str, path: Path) -> Any:
    """Parse one YAML document; `RuleError` with file, line and column for anything else."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise RuleError("rule.empty", place=str(path), cause="the file holds nothing")
        _check_size(node, path)
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise RuleError("rule.yaml", place=_place(path, mark), cause=error.problem or "not YAML") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RuleError("rule.yaml", place=str(path), cause=str(error).splitlines()[0]) from error
    finally:
        loader.dispose()


def key_places(text: str) -> dict[str, str]:
    """Return `line:column` of every top-level key of a YAML mapping (for errors about its values)."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
    except yaml.YAMLError:
        return {}
    finally:
        loader.dispose()
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return {k.value: f"{k.start_mark.line + 1}:{k.start_mark.column + 1}" for k, _ in pairs if isinstance(k.value, str)}


def _place(path: Path, mark: Any) -> str:
    return f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)


def _check_size(root: Any, path: Path) -> None:
    """Refuse aliases that unfold without end and mountains of nodes before anything is built from them."""
    stack, count = [(root, 0)], 0
    while stack:
        node, depth = stack.pop()
        count += 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            raise RuleError("rule.too-large", place=_place(path, node.start_mark), cause="too many or too deep nodes")
        if isinstance(node, yaml.MappingNode):
            stack.extend((child, depth + 1) for pair in node.value for child in pair)
        elif isinstance(node, yaml.SequenceNode):
            stack.extend((child, depth + 1) for child in node.value)
