"""What a rule cannot do without: tables without whose rows, or rows of a kind, it cannot find anything.

The query engine itself proves it: the rows in question are taken away, the rule is planned, and where the plan's result
is empty whatever the other tables hold, the rule needs those rows. What cannot be proved is not claimed.

A need is a word: a table's name, or `table.column=value` for the few columns that say of what kind a row is.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from hinomi.detect.rule import Rule
from hinomi.detect.sql import connect, empty_table
from hinomi.detect.standing import MEMORY_LIMIT, make_tables
from hinomi.model.tables import TABLES, Row

Plan = Mapping[str, Any]
KINDS = {"script_actions": "action", "scripts": "language", "persistence": "mechanism"}
_FIXED = {"yara": frozenset({"content_matches"}), "advisory": frozenset({"packages", "libraries"})}
_PASSING = frozenset({
    "PROJECTION", "FILTER", "HASH_GROUP_BY", "PERFECT_HASH_GROUP_BY", "WINDOW", "STREAMING_WINDOW", "UNNEST",
    "ORDER_BY", "TOP_N", "LIMIT", "STREAMING_LIMIT",
})  # fmt: skip
_JOINS = frozenset({"HASH_JOIN", "NESTED_LOOP_JOIN", "BLOCKWISE_NL_JOIN", "PIECEWISE_MERGE_JOIN", "IE_JOIN"})
_KEPT_SIDE = {"LEFT": 0, "ANTI": 0, "MARK": 0, "SINGLE": 0, "RIGHT": 1}  # child without which nothing comes out


@lru_cache(maxsize=4096)
def tables_of(rule: Rule) -> frozenset[str]:
    """Return the tables that a rule asks about."""
    return _FIXED.get(rule.kind) or frozenset(word for word in re.findall(r"\w+", rule.body) if word in TABLES)


def words_of(table: str, row: Row) -> Iterable[str]:
    """Return the needs that a row meets."""
    yield table
    column = KINDS.get(table)
    if column is not None:
        yield f"{table}.{column}={getattr(row, column)}"


def needs_of(rules: Collection[Rule], temporary: str) -> dict[str, frozenset[str]]:
    """Return, by id of those SQL rules for which anything could be proved, what they cannot do without."""
    connection = connect(temporary, MEMORY_LIMIT)
    make_tables(connection)
    connection.execute("SET disabled_optimizers='statistics_propagation'")  # it looks at the rows that are there now
    needs: dict[str, set[str]] = defaultdict(set)
    asking = [rule for rule in rules if rule.kind == "sql" and not _finds_nothing(connection, rule.body)]
    for table in sorted({table for rule in asking for table in tables_of(rule)}):
        connection.execute(f'ALTER TABLE "{table}" RENAME TO "{table} away"')
        for word, rest, concerned in _without(table, asking):
            connection.execute(f'CREATE VIEW "{table}" AS {rest}')
            for rule in concerned:
                if _finds_nothing(connection, rule.body):
                    needs[rule.id].add(word)
            connection.execute(f'DROP VIEW "{table}"')
        connection.execute(f'ALTER TABLE "{table} away" RENAME TO "{table}"')
    connection.close()
    return {rule: frozenset(words) for rule, words in needs.items()}


def _without(table: str, rules: Iterable[Rule]) -> Iterator[tuple[str, str, list[Rule]]]:
    """Yield (need, SQL of the table without the rows that meet it, rules that may have it)."""
    concerned = [rule for rule in rules if table in tables_of(rule)]
    yield table, empty_table(table, False), concerned
    column = KINDS.get(table)
    if column is None:
        return
    named: dict[str, list[Rule]] = defaultdict(list)
    for rule in concerned:
        for value in sorted(set(re.findall(rf"\b{column}\s*=\s*'([^']+)'", rule.body))):
            named[value].append(rule)
    for value, those in sorted(named.items()):
        yield f"{table}.{column}={value}", f"SELECT * FROM \"{table} away\" WHERE {column} <> '{value}'", those


def _finds_nothing(connection: Any, sql: str) -> bool:
    import duckdb

    try:
        plan = connection.execute(f"EXPLAIN (FORMAT json) {sql}").fetchall()[0][1]
    except duckdb.Error:  # the rule says so itself when it is asked
        return False
    return is_empty(json.loads(plan)[0])


def is_empty(plan: Plan, empty: frozenset[str] = frozenset()) -> bool:
    """Whether a physical plan yields no row for certain; `empty` are the indices of materialised parts known empty."""
    kind, children = str(plan["name"]).strip(), plan["children"]
    if kind == "CTE":
        index = str(plan["extra_info"].get("Table Index"))
        return is_empty(children[1], empty | {index} if is_empty(children[0], empty) else empty)
    if kind == "CTE_SCAN":
        return str(plan["extra_info"].get("CTE Index")) in empty
    if kind in _JOINS or kind == "CROSS_PRODUCT":
        return _joins_nothing(plan, children, empty)
    if kind == "UNION":
        return bool(children) and all(is_empty(child, empty) for child in children)
    if kind in _PASSING:
        grouped = not kind.endswith("GROUP_BY") or bool(plan["extra_info"].get("Groups"))
        return grouped and len(children) == 1 and is_empty(children[0], empty)
    return kind == "EMPTY_RESULT"


def _joins_nothing(plan: Plan, children: Sequence[Plan], empty: frozenset[str]) -> bool:
    how = str(plan["extra_info"].get("Join Type", "INNER"))
    if how in ("INNER", "SEMI"):
        return any(is_empty(child, empty) for child in children)
    return how in _KEPT_SIDE and is_empty(children[_KEPT_SIDE[how]], empty)
