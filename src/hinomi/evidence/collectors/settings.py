"""Settings that decide who gets in and what may run: login and password policy, sshd, and Office's macro policy."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hinomi.evidence.autostart.site import Site
from hinomi.evidence.autostart.windows import find_path, user_homes
from hinomi.evidence.registry import Hive, Key
from hinomi.evidence.target import Target
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage
from hinomi.model.tables import Row
from hinomi.model.tables.host import Setting
from hinomi.model.text import path_text

_LOGIN_DEFS = frozenset({
    "PASS_MAX_DAYS", "PASS_MIN_DAYS", "PASS_MIN_LEN", "PASS_WARN_AGE", "ENCRYPT_METHOD", "LOGIN_RETRIES", "UMASK",
    "LOGIN_TIMEOUT", "FAILLOG_ENAB", "SHA_CRYPT_MIN_ROUNDS", "YESCRYPT_COST_FACTOR", "PASS_CHANGE_TRIES",
    "HOME_MODE",
})  # fmt: skip
_SSHD = frozenset({
    "permitrootlogin", "passwordauthentication", "permitemptypasswords", "pubkeyauthentication",
    "authorizedkeysfile", "authorizedkeyscommand", "authorizedkeyscommanduser", "port", "listenaddress",
    "allowusers", "denyusers", "usepam", "allowgroups", "denygroups", "maxauthtries", "gatewayports",
    "allowtcpforwarding", "permittunnel", "forcecommand", "permituserenvironment", "trustedusercakeys",
    "strictmodes", "challengeresponseauthentication", "loglevel", "kbdinteractiveauthentication",
    "hostbasedauthentication", "ignorerhosts", "acceptenv", "match",
})  # fmt: skip
_PAM_FILES = tuple(b"/etc/pam.d/" + name for name in (b"common-password", b"system-auth", b"password-auth", b"passwd"))
_PAM_MODULES = tuple(
    f"pam_{name}.so" for name in ("pwquality", "pwhistory", "cracklib", "passwdqc", "unix", "faillock")
)
_PAM_AUTH = re.compile(r"\s*-?auth\s+(\[[^\]]*\]|\S+)\s+(\S+)")
_PAM_ENOUGH = re.compile(r"sufficient$|\[(?=.*\bsuccess=(?:done|ok)\b)(?!.*\bdefault=(?:die|bad)\b)")
_KEY_FILES = (
    ("pwquality", b"/etc/security/pwquality.conf", b"/etc/security/pwquality.conf.d"),
    ("pwhistory", b"/etc/security/pwhistory.conf", None),
    ("faillock", b"/etc/security/faillock.conf", None),
)
_OFFICE_VALUES = frozenset(
    {"vbawarnings", "accessvbom", "blockcontentexecutionfrominternet", "excelbypassencryptedmacroscan"}
)
_OFFICE_ROOTS = ("Software\\Microsoft\\Office", "Software\\Policies\\Microsoft\\Office")
MAX_KEYS = 500


class SettingsCollector:
    """Reads what stands in the files; defaults that nobody wrote down give no row."""

    name = "settings"
    tables: tuple[type[Row], ...] = (Setting,)

    def collect(self, target: Target, coverage: Coverage) -> Iterator[Row]:
        """Yield one row per setting."""
        site = Site(target, coverage, area="settings")
        yield from _login_defs(site)
        yield from _sshd(site)
        yield from _pam(site)
        yield from _pam_permits(site)
        yield from _key_files(site)
        yield from _office(site)


def _row(path: bytes, line: int | None, name: str, value: str) -> Setting:
    return Setting(path=path_text(path), line=line, name=name, value=value[:1000])


def _login_defs(site: Site) -> Iterator[Setting]:
    for path in (b"/etc/login.defs", b"/usr/etc/login.defs"):
        for number, line in site.lines(path):
            words = line.split(None, 1)
            if len(words) == 2 and words[0] in _LOGIN_DEFS:
                yield _row(path, number, f"login.{words[0]}", words[1].strip('" '))


def _sshd(site: Site) -> Iterator[Setting]:
    folders = (b"/etc/ssh/sshd_config.d", b"/usr/etc/ssh/sshd_config.d")
    for path in (b"/etc/ssh/sshd_config", b"/usr/etc/ssh/sshd_config", *site.files(*folders, suffix=b".conf")):
        for number, line in site.lines(path):
            match = re.match(r"([A-Za-z]{2,40})(?:\s*=\s*|\s+)(\S.*)$", line)
            if match and match.group(1).lower() in _SSHD:
                yield _row(path, number, f"sshd.{match.group(1)}", match.group(2))


def _pam(site: Site) -> Iterator[Setting]:
    for path in _PAM_FILES:
        for number, line in site.joined_lines(path):
            module = next((m for m in _PAM_MODULES if m in line), None)
            if module is not None and line.lstrip("-").startswith("password"):
                yield _row(path, number, f"pam.{module.removesuffix('.so')}", line.partition(module)[2].strip())


def _pam_permits(site: Site) -> Iterator[Setting]:
    """`auth sufficient pam_permit.so` before any module that must agree: whoever asks is let in."""
    for path in site.files(b"/etc/pam.d", b"/usr/lib/pam.d"):
        for number, line in site.joined_lines(path):
            match = _PAM_AUTH.match(line)
            if match is None:
                continue
            if "pam_permit.so" in match[2] and _PAM_ENOUGH.match(match[1]):
                yield _row(path, number, "pam.permits", line.strip())
            if not _PAM_ENOUGH.match(match[1]) and match[1] != "optional":
                break  # something is asked before


def _key_files(site: Site) -> Iterator[Setting]:
    for service, single, folder in _KEY_FILES:
        for path in (single, *(site.files(folder, suffix=b".conf") if folder else ())):
            for number, line in site.lines(path):
                key, equals, value = line.partition("=")
                yield _row(path, number, f"{service}.{key.strip()[:100]}", value.strip() if equals else "")


def _office(site: Site) -> Iterator[Setting]:
    """Macro policy: VBAWarnings 1 runs every macro, AccessVBOM 1 lets programs write macros."""
    for home in user_homes(site):
        path = find_path(site, *home.path.strip(b"/").split(b"/"), b"NTUSER.DAT")
        if path is None:
            continue
        try:
            with site.view.open(path) as file:
                hive = Hive(file)
                for root in _OFFICE_ROOTS:
                    key = hive.key(root)
                    if key is not None:
                        yield from _office_values(hive, path, root, key)
        except ParseError as error:
            site.coverage.miss("settings", path_text(path), "unparsable", error.cause)
        except OSError as error:
            site.lost(path, error)


def _office_values(hive: Hive, path: bytes, root: str, office: Key) -> Iterator[Setting]:
    """Look at `<version>\\<program>\\Security` below an Office key."""
    count = 0
    for version in hive.subkeys(office):
        for program in hive.subkeys(version):
            count += 1
            if count > MAX_KEYS:
                return
            for security in hive.subkeys(program):
                if security.name.lower() != "security":
                    continue
                for name, value in sorted(hive.values(security).items()):
                    if name.lower() in _OFFICE_VALUES:
                        yield _row(path, None, f"office.{version.name}.{program.name}.{name}", f"{value}")


COLLECTOR = SettingsCollector()
