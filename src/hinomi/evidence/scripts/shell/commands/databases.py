"""Databases' clients: what is asked of them, wherever the query stands, and what is taken out whole."""

from __future__ import annotations

from hinomi.evidence.scripts.shell.core import Call, Machine, Result
from hinomi.evidence.scripts.shell.registry import handles
from hinomi.evidence.scripts.values import Source, Value, joined, unknown

_CLIENTS = (
    "sqlite3", "sqlite", "mysql", "mariadb", "psql", "mongo", "mongosh", "redis-cli", "sqlcmd", "influx", "ldapsearch",
)  # fmt: skip
_SQL = (
    "select ", "insert ", "update ", "delete ", "drop ", "attach ", "pragma ", "create ", "alter ", ".dump",
    ".backup", ".output", ".once", ".schema", ".read ",
)  # fmt: skip
_WITH_VALUE = (
    "-e", "-c", "-u", "-h", "-P", "-p", "-U", "-d", "-D", "-cmd", "-separator", "--eval", "-n", "-S", "-Q", "-b", "-H",
    "-w", "-f", "-init", "-t", "-T", "-F", "-j", "-Z",
)  # fmt: skip
_READS = (".read", "\\i", "\\ir", "source", "\\.")


@handles(*_CLIENTS)
def database(machine: Machine, call: Call) -> Result:
    """A client, a database or server, and the query: in a word, an option, the input, a file or a here-document."""
    given = call.option("-e", "-c", "--execute", "--command", "--eval", "-cmd", "-Q")
    words = call.operands(*_WITH_VALUE)
    sql = [w for w in words if any(k in w.text.lower() + " " for k in _SQL)]
    asked = joined(sql, "\n") if sql else _of_file(machine, call)
    query = _read_inside(machine, given if given is not None else asked)
    if call.name in ("redis-cli", "ldapsearch") and query is None:
        query = Value(" ".join(w.text for w in words)) if words else None
    base = next((w for w in words if w not in sql), None)
    server = call.option("-h", "-H", "--host", "-d", "-D", "--dbname", "--database")
    base = base if base is not None else server
    shown = machine.env.resolve(base) if base is not None and call.name.startswith("sqlite") else base
    machine.emit(call, "queries-database", shown, query)
    _output_file(machine, call, query)
    return _answer(call, query.text if query is not None else call.name)


def _answer(call: Call, asked: str) -> Result:
    return Result(unknown(f"$({call.text[:200]})", Source("query", asked[:1000], call.name)))


@handles("mysqldump", "mariadb-dump", "pg_dump")
def dump(machine: Machine, call: Call) -> Result:
    """A database taken out, or some of its tables: `mysqldump base table …`, `pg_dump -t table base`."""
    words = [w for w in call.operands(*_WITH_VALUE, "-r", "--table", "--result-file") if w.text]
    base, tables = next(iter(words), None), words[1:]
    if call.name == "pg_dump":
        named = call.option("-t", "--table")
        tables = [named] if named is not None else []
    asked = " ".join(["dump", *(w.text for w in tables[:20])])
    machine.emit(call, "queries-database", base, asked)
    into = call.option("-f", "--file") if call.name == "pg_dump" else call.option("-r", "--result-file")
    if into is not None:
        machine.emit_path(call, "writes", into, f"query: {call.name} {asked}")
    return _answer(call, asked)


def _of_file(machine: Machine, call: Call) -> Value | None:
    """Return the input, or a query in a file that the script wrote before: `-f file`, `-init file`, `< file`."""
    stdin = call.stdin if call.stdin is not None and call.stdin.text else None
    named = call.option("-f", "--file", "-init")
    source = stdin.source if stdin is not None else None
    if named is None and source is not None and source.kind == "file":
        named = Value(source.object or "")
    return stdin if named is None else machine.made.get(machine.env.resolve(named).text, stdin)


def _read_inside(machine: Machine, query: Value | None) -> Value | None:
    """`.read file`, `\\i file` and `source file` take a query from such a file."""
    words = query.text.split() if query is not None else []
    if len(words) != 2 or words[0] not in _READS:
        return query
    return machine.made.get(machine.env.resolve(Value(words[1].strip("'\";"))).text, query)


def _output_file(machine: Machine, call: Call, query: Value | None) -> None:
    """Queries may write themselves: sqlite's `.output file` and `.once file`, psql's `\\copy … to file`."""
    for line in (query.text if query is not None else "").splitlines()[:50]:
        words = line.split()
        named = len(words) == 2 and words[0] in (".output", ".once", ".backup", ".save") and words[1] != "stdout"
        copied = len(words) > 3 and words[0] == "\\copy" and words[-2].lower() == "to"
        if named or copied:
            machine.emit_path(call, "writes", Value(words[-1].strip("'\"")), f"query: {call.name}")
