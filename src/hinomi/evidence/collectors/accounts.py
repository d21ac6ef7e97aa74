"""Who may log in: passwd, shadow, group and sudoers of the target, and macOS's local directory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from hinomi.evidence.autostart.site import MAX_TEXT, Site, joined
from hinomi.evidence.identity.passwd import PasswdLine, colon_lines, number_of, parse_passwd
from hinomi.evidence.identity.passwords import hash_method, password_state
from hinomi.evidence.identity.sudoers import Rule, read_sudoers
from hinomi.evidence.plist import read_plist
from hinomi.evidence.target import Target
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.host import Account
from hinomi.model.text import path_text

_NO_LOGIN = frozenset({"nologin", "false", "sync", "halt", "shutdown", "null", "true", "git-shell", "noshell"})
_NAME = re.compile(rb"(?:master\.)?[a-z._-]{0,20}passwd$")
_SUDOERS = (b"/etc/sudoers", b"/usr/local/etc/sudoers")
_DSLOCAL = b"/var/db/dslocal/nodes/Default/users"
_DSLOCAL_PRIVATE = b"/private" + _DSLOCAL
_INCLUDE = re.compile(r"^#include", re.MULTILINE)
_EPOCH = date(1970, 1, 1)
_UNSEEN = frozenset({b"proc", b"sys", b"dev", b"tmp", b"home", b"root", b"Users", b"usr", b"lib", b"boot", b"Windows"})
MAX_FOLDERS = 500


@dataclass(frozen=True, slots=True)
class _Shadow:
    """What a shadow row says: state and method of the password, day of its last change."""

    state: str
    method: str | None
    changed: str | None


@dataclass(frozen=True)
class _Directory:
    """What stands beside a passwd file: its shadow rows, groups by member, and whether shadow could be read."""

    shadow: dict[str, _Shadow] = field(default_factory=dict)
    readable: bool = True
    groups: dict[str, list[str]] = field(default_factory=dict)
    group_names: dict[int, str] = field(default_factory=dict)


class AccountsCollector:
    """Reads every account file of the target; copies kept as backups (`passwd-`) are not account files."""

    name = "accounts"
    tables: tuple[type[Row], ...] = (Account,)

    def collect(self, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield one row per line of /etc/passwd, then of account files elsewhere, then of macOS's records."""
        site = Site(target, coverage, area="accounts")
        rules = [rule for path in _SUDOERS for rule in _sudo_rules(site, path)]
        seen: set[bytes] = set()
        for path in _passwd_files(site):
            resolved = site.resolve(path)
            if resolved is not None and resolved not in seen:
                seen.add(resolved)
                yield from _accounts(site, path, rules if path == b"/etc/passwd" else [])
        for folder in (_DSLOCAL, _DSLOCAL_PRIVATE):
            for path in site.files(folder, suffix=b".plist"):
                yield from _local_record(site, path)


def _sudo_rules(site: Site, path: bytes) -> list[Rule]:
    def lines(path: bytes) -> Iterator[tuple[int, str]]:
        text = site.text(path) or ""
        return joined(_INCLUDE.sub("@include", text))  # `#include` is a directive, no comment

    return read_sudoers(path, lines, site.files) if site.is_file(path) else []


def _passwd_files(site: Site) -> Iterator[bytes]:
    yield b"/etc/passwd"
    for folder in _folders(site):
        for name in site.names(folder):
            path = folder + b"/" + name
            if _NAME.match(name) and path != b"/etc/passwd" and _looks_like_passwd(site, path):
                yield path


def _folders(site: Site) -> Iterator[bytes]:
    """Folders in which systems and vendors keep account files: /etc and its like, and the tree's first level."""
    yield from (b"/etc", b"/usr/etc", b"/private/etc", b"/etc/config", b"/etc_ro", b"/var/etc", b"/mnt/etc")
    count = 0
    for top in site.names(b"/"):
        if top in _UNSEEN or top.startswith(b"etc"):
            continue
        for name in (b"", b"/etc", b"/conf", b"/config", b"/db"):
            count += 1
            if count < MAX_FOLDERS:
                yield b"/" + top + name


def _looks_like_passwd(site: Site, path: bytes) -> bool:
    if not site.is_file(path):
        return False
    try:
        head = site.view.read(path, 4096).decode("utf-8", "surrogateescape")
    except OSError as error:
        site.lost(path, error)
        return False
    lines = [line for line in head.split("\n")[:-1] or [head] if line and not line.startswith("#")]
    return bool(lines) and all(line.count(":") in (6, 9) for line in lines[:20])


def _accounts(site: Site, path: bytes, rules: list[Rule]) -> Iterator[Account]:
    text = site.text(path)
    if text is None:
        return
    directory = _beside(site, path)
    bsd = path.endswith(b"master.passwd")
    for position, account in enumerate(parse_passwd(_bsd_to_passwd(text) if bsd else text)):
        yield _row(site, path, position, account, directory, rules)
        site.coverage.count("accounts")


def _bsd_to_passwd(text: str) -> str:
    """Drop class, change and expire of BSD's ten fields, so that seven remain; other lines are kept."""
    lines = [line.split(":") for line in text.split("\n")]
    return "\n".join(":".join(p[:4] + p[7:] if len(p) == 10 else p) for p in lines)


def _row(
    site: Site, path: bytes, position: int, account: PasswdLine, directory: _Directory, rules: list[Rule]
) -> Account:
    state, method, changed = _password(account, directory)
    groups = _groups(account, directory)
    shell = account.shell.strip()
    return Account(
        name=account.name, uid=account.uid, gid=account.gid, home=account.home or None, shell=shell or None,
        comment=account.comment or None, path=path_text(path), line=account.line, position=position,
        password_state=state, hash_method=method, password_changed=changed, groups=groups,
        sudo=_sudo(account, groups, rules), login=shell.rsplit("/", 1)[-1] not in _NO_LOGIN,
    )  # fmt: skip


def _password(account: PasswdLine, directory: _Directory) -> tuple[str, str | None, str | None]:
    """Return state, method and day of change; what passwd holds itself counts before shadow."""
    if account.password != "x" and not (account.password == "*" and account.name in directory.shadow):
        state = password_state(account.password)
        method = hash_method(account.password)
        return ("in-passwd" if state == "hashed" else state), method, None
    shadow = directory.shadow.get(account.name)
    if shadow is not None:
        return shadow.state, shadow.method, shadow.changed
    return ("missing" if directory.readable else "unreadable"), None, None


def _groups(account: PasswdLine, directory: _Directory) -> list[str]:
    names = set(directory.groups.get(account.name, ()))
    if account.gid is not None:
        names.add(directory.group_names.get(account.gid, str(account.gid)))
    return sorted(names)


def _sudo(account: PasswdLine, groups: list[str], rules: list[Rule]) -> list[str]:
    names = {account.name, "ALL", f"#{account.uid}", *(f"%{group}" for group in groups), f"%#{account.gid}"}
    return [f"{path_text(r.path)}:{r.line}: {r.text}" for r in rules if not names.isdisjoint(r.who)]


def _beside(site: Site, path: bytes) -> _Directory:
    folder = path.rsplit(b"/", 1)[0]
    shadow_path = folder + b"/shadow"
    text = site.text(shadow_path)
    members, names = _group_file(site.text(folder + b"/group") or "")
    return _Directory(
        shadow=_shadow_file(text or ""),
        readable=text is not None or not site.is_file(shadow_path),
        groups=members,
        group_names=names,
    )


def _shadow_file(text: str) -> dict[str, _Shadow]:
    found: dict[str, _Shadow] = {}
    for _, parts in colon_lines(text, 9):
        name, password, changed = parts[:3]
        if name and name not in found:  # the first row of a name is the one in force
            found[name] = _Shadow(password_state(password), hash_method(password), _day(changed))
    return found


def _day(text: str) -> str | None:
    number = number_of(text)
    return (_EPOCH + timedelta(days=number)).isoformat() if number and number < 2_000_000 else None


def _group_file(text: str) -> tuple[dict[str, list[str]], dict[int, str]]:
    members: dict[str, list[str]] = {}
    names: dict[int, str] = {}
    for _, parts in colon_lines(text, 4):
        name, _, gid, listed = parts[:4]
        number = number_of(gid)
        if number is not None:
            names.setdefault(number, name)
        for member in listed.split(","):
            if member.strip():
                members.setdefault(member.strip(), []).append(name)
    return members, names


def _local_record(site: Site, path: bytes) -> Iterator[Account]:
    """Rows of a macOS user record; every value of it is a list."""
    data = site.data(path, MAX_TEXT)
    if data is None:
        return
    try:
        record = read_plist(data, path_text(path))
    except ParseError as error:
        site.coverage.miss("accounts", path_text(path), "unparsable", error.cause)
        return
    first = {
        key: value[0] for key, value in record.items()
        if isinstance(value, list) and value and isinstance(value[0], str)
    }  # fmt: skip
    shell = first.get("shell", "")
    hashed = "ShadowHashData" in record
    yield Account(
        name=first.get("name", ""), uid=number_of(first.get("uid", "")), gid=number_of(first.get("gid", "")),
        home=first.get("home"), shell=shell or None, comment=first.get("realname"), path=path_text(path),
        password_state="hashed" if hashed else "locked", hash_method="pbkdf2" if hashed else None,
        login=bool(shell) and shell.rsplit("/", 1)[-1] not in _NO_LOGIN,
    )  # fmt: skip
    site.coverage.count("accounts")


COLLECTOR = AccountsCollector()
