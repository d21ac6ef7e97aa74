"""Where each type of indicator is looked up: one SELECT per table, joined to the wanted values.

Each query takes two lists (values, numbers) and returns `n` (number of the indicator), `row`, `subject`, `related`,
`intact` (the file is its package's own) and `uid`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hinomi.model.findings import SubjectType

LookupKind = Literal["hash", "address", "account", "name"]


@dataclass(frozen=True, slots=True)
class Lookup:
    """One place where indicators of some types may stand."""

    types: tuple[str, ...]
    kind: LookupKind
    table: str
    subject_type: SubjectType
    sql: str
    behaviours: tuple[str, ...] = ()


_WANTED = "WITH wanted AS (SELECT unnest(?::VARCHAR[]) AS value, unnest(?::BIGINT[]) AS n)"
_SUFFIXES = """list_transform(range(1, len(string_split(host, '.')) + 1),
  lambda i: array_to_string(list_slice(string_split(host, '.'), i, len(string_split(host, '.'))), '.'))"""
_HOST = r"'[a-z0-9_-]+(?:\.[a-z0-9_-]+)+'"
_URL = r"""'https?://([^\s"''<>|;)]+)'"""
_ADDRESS_TYPES = ("ipv4", "domain")


def _by_host(source: str) -> str:
    """Join host names and addresses found in `source` (columns row, subject, related, intact, host) by any suffix."""
    return f"""{_WANTED}, hosts AS ({source}),
suffixes AS (SELECT row, subject, related, intact, unnest({_SUFFIXES}) AS suffix FROM hosts)
SELECT DISTINCT n, row, subject, related, intact, NULL AS uid FROM wanted JOIN suffixes ON suffix = value"""


def _by_url(source: str) -> str:
    return f"""{_WANTED}, urls AS ({source})
SELECT DISTINCT n, row, subject, related, intact, NULL AS uid FROM wanted JOIN urls ON rtrim(lower(url), '/') = value"""


def _in_text(table: str, subject: str, related: str, text: str, pattern: str, name: str, group: int) -> str:
    return f"""SELECT row, {subject} AS subject, {related} AS related, false AS intact,
  unnest(regexp_extract_all(lower({text}), {pattern}, {group})) AS {name} FROM {table} WHERE contains({text}, '.')"""


_ACTION_TEXT = "concat_ws(' ', object, detail, command)"
_MACRO_TEXT = "concat_ws(' ', array_to_string(downloads, ' '), excerpt)"
# an ELF of the distribution that names an address does so for reasons of its own
_ELF = """SELECT e.row, e.path AS subject, NULL AS related, coalesce(f.package_state = 'intact', false) AS intact,
  unnest({list}) AS {name} FROM elf e LEFT JOIN files f ON f.path = e.path WHERE len(e.{column}) > 0"""
_ELF_HOSTS = _ELF.format(
    list="list_transform(e.embedded_addresses, lambda a: lower(regexp_replace(a, ':[0-9]+$', '')))",
    name="host",
    column="embedded_addresses",
)
_ELF_URLS = _ELF.format(
    list="list_transform(e.embedded_urls, lambda u: regexp_replace(u, '^[A-Za-z]+://', ''))",
    name="url",
    column="embedded_urls",
)
_HOST_OF_URL = r"'^[A-Za-z]+://(?:[^/@]*@)?([^/:?#]+)'"
_ELF_URL_HOSTS = _ELF.format(
    list=f"list_transform(e.embedded_urls, lambda u: lower(regexp_extract(u, {_HOST_OF_URL}, 1)))",
    name="host",
    column="embedded_urls",
)


def _path_join(table: str, path: str, subject: str, related: str, intact: str, where: str) -> str:
    """Join on the base name first (a hash join), then by what the path ends with."""
    return f"""{_WANTED}
SELECT DISTINCT n, row, {subject} AS subject, {related} AS related, {intact} AS intact, NULL AS uid
FROM wanted JOIN {table} ON lower(basename({path})) = basename(value) AND ends_with(lower({path}), value)
WHERE {where}"""


_INTACT = "coalesce(package_state = 'intact', false)"
_EXE_INTACT = "coalesce(exe_package_state = 'intact', false)"
_IS_FILE = "kind IN ('file', 'symlink')"

LOOKUPS: tuple[Lookup, ...] = (
    Lookup(("sha256",), "hash", "files", "file", f"""{_WANTED}
SELECT n, row, path AS subject, NULL AS related, {_INTACT} AS intact, uid FROM wanted JOIN files ON sha256 = value"""),
    Lookup(_ADDRESS_TYPES, "address", "elf", "file", _by_host(_ELF_HOSTS), ("hard-coded-c2",)),
    Lookup(_ADDRESS_TYPES, "address", "elf", "file", _by_host(_ELF_URL_HOSTS), ("hard-coded-c2",)),
    Lookup(("url",), "address", "elf", "file", _by_url(_ELF_URLS), ("hard-coded-c2",)),
    Lookup(_ADDRESS_TYPES, "address", "script_actions", "script",
           _by_host(_in_text("script_actions", "path", "NULL", _ACTION_TEXT, _HOST, "host", 0)), ("hard-coded-c2",)),
    Lookup(("url",), "address", "script_actions", "script",
           _by_url(_in_text("script_actions", "path", "NULL", _ACTION_TEXT, _URL, "url", 1)), ("hard-coded-c2",)),
    Lookup(_ADDRESS_TYPES, "address", "persistence", "persistence",
           _by_host(_in_text("persistence", "path", "program", "command", _HOST, "host", 0))),
    Lookup(("url",), "address", "persistence", "persistence",
           _by_url(_in_text("persistence", "path", "program", "command", _URL, "url", 1))),
    Lookup(_ADDRESS_TYPES, "address", "macros", "file",
           _by_host(_in_text("macros", "path", "NULL", _MACRO_TEXT, _HOST, "host", 0))),
    Lookup(("ipv4", "ipv6"), "address", "sockets", "socket", f"""{_WANTED}
SELECT DISTINCT n, s.row, concat_ws(' ', s.protocol, s.remote_address || ':' || s.remote_port, s.process) AS subject,
  p.exe AS related, false AS intact, s.uid
FROM wanted JOIN sockets s ON regexp_replace(lower(s.remote_address), '^::ffff:', '') = value
LEFT JOIN processes p ON p.pid = s.pid"""),
    Lookup(("account",), "account", "accounts", "account", f"""{_WANTED}
SELECT n, row, name AS subject, NULL AS related, false AS intact, uid FROM wanted JOIN accounts ON name = value"""),
    Lookup(("filename",), "name", "files", "file", f"""{_WANTED}
SELECT n, row, path AS subject, NULL AS related, {_INTACT} AS intact, uid
FROM wanted JOIN files ON lower(basename(path)) = value WHERE {_IS_FILE}"""),
    Lookup(("filename",), "name", "processes", "process", f"""{_WANTED}
SELECT n, row, CAST(pid AS VARCHAR) AS subject, exe AS related, {_EXE_INTACT} AS intact, uid
FROM wanted JOIN processes ON lower(coalesce(basename(exe), name)) = value WHERE NOT kernel_thread"""),
    Lookup(("filename",), "name", "persistence", "persistence", f"""{_WANTED}
SELECT n, p.row, p.path AS subject, p.program AS related, {_INTACT} AS intact, NULL AS uid
FROM wanted JOIN persistence p ON lower(basename(p.program)) = value LEFT JOIN files f ON f.path = p.program"""),
    Lookup(("filepath",), "name", "files", "file", _path_join("files", "path", "path", "NULL", _INTACT, _IS_FILE)),
    Lookup(("filepath",), "name", "processes", "process",
           _path_join("processes", "exe", "CAST(pid AS VARCHAR)", "exe", _EXE_INTACT, "NOT kernel_thread")),
    Lookup(("filepath",), "name", "persistence", "persistence",
           _path_join("persistence", "program", "path", "program", "false", "true")),
    Lookup(("service",), "name", "persistence", "persistence", f"""{_WANTED}
SELECT n, row, path AS subject, program AS related, false AS intact, NULL AS uid
FROM wanted JOIN persistence ON regexp_replace(lower(name), '\\.(service|timer|socket)$', '') =
  regexp_replace(value, '\\.(service|timer|socket)$', '')"""),
)  # fmt: skip
