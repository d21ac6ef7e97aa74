from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hinomi.evidence.collectors.settings import COLLECTOR
from hinomi.evidence.sources.memory import memory_target
from hinomi.model.findings import Coverage


def collect(files: dict, coverage: Coverage | None = None) -> list[tuple]:
    rows = COLLECTOR.collect(memory_target(files), coverage or Coverage())
    return [(r.path, r.line, r.name, r.value) for r in rows]


def test_login_ssh_and_pam_policy() -> None:
    files = {
        "/etc/login.defs": "# c\nPASS_MAX_DAYS\t99999\nMAIL_DIR /var/mail\n",
        "/etc/ssh/sshd_config": "#PermitRootLogin no\nPermitRootLogin yes\nSubsystem sftp x\n",
        "/etc/ssh/sshd_config.d/a.conf": "PasswordAuthentication=yes\n",
        "/etc/pam.d/common-password": "password requisite pam_pwquality.so "
        "retry=3 minlen=8\nauth required pam_unix.so\n",
        "/etc/security/pwquality.conf": "minlen = 12\nenforce_for_root\n",
    }
    assert collect(files) == [
        ("/etc/login.defs", 2, "login.PASS_MAX_DAYS", "99999"),
        ("/etc/ssh/sshd_config", 2, "sshd.PermitRootLogin", "yes"),
        ("/etc/ssh/sshd_config.d/a.conf", 1, "sshd.PasswordAuthentication", "yes"),
        ("/etc/pam.d/common-password", 1, "pam.pam_pwquality", "retry=3 minlen=8"),
        ("/etc/security/pwquality.conf", 1, "pwquality.minlen", "12"),
        ("/etc/security/pwquality.conf", 2, "pwquality.enforce_for_root", ""),
    ]


def test_office_macro_policy(registry) -> None:
    security = {"Excel": {"Security": {"VBAWarnings": 1, "AccessVBOM": 1, "Other": 5}}}
    tree = {"Software": {"Microsoft": {"Office": {"16.0": security}}}}
    coverage = Coverage()
    rows = collect({"/Users/a/ntuser.dat": registry.hive(tree), "/Users/b/NTUSER.DAT": b"regfbroken"}, coverage)
    assert rows == [
        ("/Users/a/ntuser.dat", None, "office.16.0.Excel.AccessVBOM", "1"),
        ("/Users/a/ntuser.dat", None, "office.16.0.Excel.VBAWarnings", "1"),
    ]
    assert [(m.subject, m.reason) for m in coverage.misses] == [("/Users/b/NTUSER.DAT", "unparsable")]


@hypothesis_settings(max_examples=60, derandomize=True, deadline=None)
@given(st.binary(max_size=200))
def test_any_content_is_rows(data: bytes) -> None:
    places = ["/etc/login.defs", "/etc/ssh/sshd_config", "/etc/pam.d/passwd", "/etc/security/pwquality.conf"]
    collect({**dict.fromkeys(places, data), "/Users/a/NTUSER.DAT": b"regf" + data})
