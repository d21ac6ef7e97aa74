"""Baselines end to end: real folders, real packages built and upgraded with dpkg, and what somebody set in between."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hinomi.detect.catalogue import load_rules
from hinomi.evidence.options import ScanOptions
from hinomi.flow import baseline_shelf, baselines
from hinomi.flow.baseline_viewing import is_part_of_a_system
from hinomi.model.errors import UsageError
from hinomi.model.tables.baseline import Change
from hinomi.store.case import Case
from hinomi.watch.signing import Signer, Trust, new_key

NEEDS_DPKG = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg is not installed")
ELF = b"\x7fELF\x02\x01\x01" + bytes(57)


@pytest.fixture
def case(tmp_path: Path):
    with Case.open(tmp_path / "case") as opened:
        yield opened


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return new_key(tmp_path / "key.pem", None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    for name in ("etc", "usr/bin", "usr/sbin", "var/log", "var/lib", "srv"):
        (folder / name).mkdir(parents=True)
    (folder / "etc/app.conf").write_text("mode = quiet\nlevel = 1\n")
    (folder / "usr/bin/tool").write_bytes(ELF)
    (folder / "usr/bin/tool").chmod(0o755)
    (folder / "usr/bin/t").symlink_to("tool")
    return folder


def verify(case: Case, root: Path, **options: object) -> dict[str, Change]:
    found = baselines.verify(case, str(root), load_rules(), **options)  # type: ignore[arg-type]
    verify.last = found  # type: ignore[attr-defined]
    return {row.path: row for row in found.changes}


def unexplained(rows: dict[str, Change]) -> list[str]:
    return sorted(path for path, row in rows.items() if not row.explained)


def rule_ids() -> set[tuple[str, str]]:
    return {(f.rule_id, f.subject_key) for f in verify.last.result.findings}  # type: ignore[attr-defined]


# --- what differs -----------------------------------------------------------------------------------------------------


def test_nothing_differs_right_after(case: Case, root: Path, signer: Signer) -> None:
    made, coverage = baselines.create(case, str(root), signer)
    assert coverage.complete
    assert made.manifest.sequence == 1
    assert verify(case, root) == {}
    assert verify(case, root, quick=baselines.Quick(seed=1)) == {}


def test_only_what_was_chosen_is_told(case: Case, root: Path, signer: Signer) -> None:
    baselines.create(case, str(root), signer, options=ScanOptions(include=("/etc/*",)))
    (root / "usr/new").mkdir()
    (root / "usr/sbin").rmdir()
    (root / "etc/sub").mkdir()
    (root / "etc/app.conf").write_text("level = 2\n")
    assert unexplained(verify(case, root)) == ["/etc/app.conf", "/etc/sub"]


@pytest.mark.parametrize("quick", [None, baselines.Quick(sample=0, seed=7)])
def test_every_kind_of_change_is_seen(case: Case, root: Path, signer: Signer, quick: baselines.Quick | None) -> None:
    baselines.create(case, str(root), signer)
    (root / "usr/bin/tool").write_bytes(ELF + b"x")
    (root / "etc/app.conf").chmod(0o4755)
    (root / "usr/bin/t").unlink()
    (root / "usr/bin/t").symlink_to("other")
    (root / "srv/new\nline").write_text("x")
    (root / "usr/sbin").rmdir()
    rows = verify(case, root, quick=quick)
    told = {path: row.what for path, row in rows.items() if not row.explained}
    assert told == {
        "/etc/app.conf": "changed",
        "/usr/bin/t": "changed",
        "/usr/bin/tool": "changed",
        "/srv/new\nline": "added",
        "/usr/sbin": "removed",
    }
    assert "mode" in rows["/etc/app.conf"].attributes
    assert {"/srv", "/usr", "/usr/bin"} <= {path for path, row in rows.items() if row.why == "folder-times"}
    assert {("program-changed-unexplained", "/usr/bin/tool"), ("new-power-on-program", "/etc/app.conf")} <= rule_ids()


def test_quick_says_what_it_trusted_and_reads_a_sample(case: Case, root: Path, signer: Signer) -> None:
    baselines.create(case, str(root), signer)
    found = baselines.verify(case, str(root), load_rules(), quick=baselines.Quick(sample=1, seed=5))
    examined = found.result.coverage.examined
    assert examined["files-read-by-lot"] == 1
    assert examined["entries-trusted-by-inode-size-and-ctime"] == 11
    assert "lot-seed:5" in found.result.coverage.skipped


def test_a_diff_shows_lines_but_never_a_secret(case: Case, root: Path, signer: Signer) -> None:
    (root / "etc/db.conf").write_text("user = app\npassword = hunter22\n")
    (root / "etc/shadow").write_text("root:$6$abc$def:1::::::\n")
    (root / "etc/shadow").chmod(0o640)
    baselines.create(case, str(root), signer)
    (root / "etc/app.conf").write_text("mode = quiet\nlevel = 2\n")
    (root / "etc/db.conf").write_text("user = app\npassword = hunter23\n")
    (root / "etc/shadow").write_text("root:$6$abc$xyz:1::::::\n")
    rows = verify(case, root)
    assert "-level = 1" in (rows["/etc/app.conf"].diff or "")
    assert rows["/etc/db.conf"].diff is None
    assert rows["/etc/shadow"].diff is None
    kept = b"".join(path.read_bytes() for path in (case.path / "baselines").rglob("*.baseline"))
    assert b"hunter22" not in kept


# --- who can be believed ----------------------------------------------------------------------------------------------


def fault(case: Case, root: Path, **options: object) -> str | None:
    found = baselines.verify(case, str(root), load_rules(), **options)  # type: ignore[arg-type]
    if found.baseline is not None:
        return None
    assert [f.severity for f in found.result.findings] == ["critical"]
    assert not found.result.coverage.complete
    return found.changes[0].why


def test_tampering_truncation_and_foreign_keys_are_told_apart(
    case: Case, root: Path, signer: Signer, tmp_path: Path
) -> None:
    made, _ = baselines.create(case, str(root), signer)
    trust = Trust(signer.fingerprint)
    whole = made.path.read_bytes()
    assert fault(case, root, trust=trust) is None
    made.path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert fault(case, root, trust=trust) == "tampered"
    made.path.write_bytes(whole.replace(b'"sequence": 1', b'"sequence": 9'))
    assert fault(case, root, trust=trust) == "tampered"
    made.path.write_bytes(whole + b"x")
    assert fault(case, root, trust=trust) == "tampered"
    for length in (40, len(whole) // 2, len(whole) - 1):
        made.path.write_bytes(whole[:length])
        assert fault(case, root, trust=trust) == "truncated"
    made.path.write_bytes(whole)
    stranger = new_key(tmp_path / "stranger.pem", None)
    assert fault(case, root, trust=Trust(stranger.fingerprint)) == "wrong-key"


def test_an_older_or_another_baseline_is_a_roll_back(case: Case, root: Path, signer: Signer) -> None:
    first, _ = baselines.create(case, str(root), signer)
    old = first.path.read_bytes()
    (root / "srv/x").write_text("x")
    second, _ = baselines.create(case, str(root), signer)
    assert second.manifest.predecessor == first.digest
    second.path.unlink()
    assert fault(case, root) == "rolled-back"
    assert fault(case, root, path=first.path, trust=Trust(signer.fingerprint)) == "rolled-back"
    with Case.open(case.path.parent / "elsewhere") as other:
        trust = Trust(signer.fingerprint)
        copy = case.path.parent / "copy.baseline"
        copy.write_bytes(old)
        assert fault(other, root, path=copy, trust=trust) is None
        assert fault(other, root, path=copy, trust=trust, expect=2) == "rolled-back"


def test_the_memory_survives_in_the_journal(case: Case, root: Path, signer: Signer) -> None:
    baselines.create(case, str(root), signer)
    made, _ = baselines.create(case, str(root), signer)
    (baseline_shelf.folder_of(case, str(root)) / "seen.json").unlink()
    made.path.unlink()
    assert fault(case, root) == "rolled-back"


def test_a_stranger_is_not_believed_without_being_named(case: Case, root: Path, signer: Signer) -> None:
    made, _ = baselines.create(case, str(root), signer)
    with Case.open(case.path.parent / "elsewhere") as other, pytest.raises(UsageError) as refused:
        baselines.verify(other, str(root), load_rules(), path=made.path)
    assert refused.value.code == "baseline.no-trust"


# --- acceptance -------------------------------------------------------------------------------------------------------


def test_accept_takes_only_what_was_verified_and_chosen(case: Case, root: Path, signer: Signer) -> None:
    baselines.create(case, str(root), signer)
    (root / "etc/app.conf").write_text("mode = loud\n")
    (root / "srv/a").write_text("a")
    verify(case, root)
    (root / "srv/later").write_text("not seen by anybody")
    done = baselines.accept(case, str(root), signer, "ticket 12", patterns=["/etc/*"])
    assert done.paths == ("/etc/app.conf",)
    assert done.baseline.manifest.sequence == 2
    assert done.baseline.manifest.accepted is not None
    assert done.baseline.manifest.accepted["because"] == "ticket 12"
    assert unexplained(verify(case, root)) == ["/srv/a", "/srv/later"]
    assert any(entry.event == "baseline-accepted" and "ticket 12" in entry.body for entry in case.journal.entries())


def test_what_changed_again_is_not_accepted(case: Case, root: Path, signer: Signer) -> None:
    baselines.create(case, str(root), signer)
    (root / "usr/bin/tool").write_bytes(ELF + b"built anew")
    verify(case, root)
    (root / "usr/bin/tool").write_bytes(ELF + b"swapped since")
    done = baselines.accept(case, str(root), signer, "new build", patterns=["/usr/bin/tool"])
    assert done.paths == ()
    assert done.moved_on == ("/usr/bin/tool",)
    assert unexplained(verify(case, root)) == ["/usr/bin/tool"]


def test_nothing_is_accepted_unseen_or_without_a_reason(case: Case, root: Path, signer: Signer) -> None:
    baselines.create(case, str(root), signer)
    (root / "srv/a").write_text("a")
    for because in ("looks right", "  "):
        with pytest.raises(UsageError):
            baselines.accept(case, str(root), signer, because)


# --- packages ---------------------------------------------------------------------------------------------------------


def deb(folder: Path, name: str, version: str, files: dict[str, tuple[bytes, int]], conffiles: str = "") -> Path:
    """Build a package with its md5sums, as debhelper would."""
    import hashlib

    stage = folder / f"{name}_{version}"
    sums = []
    for path, (content, mode) in files.items():
        place = stage / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        place.chmod(mode)
        if path not in conffiles:
            sums.append(f"{hashlib.md5(content).hexdigest()}  {path.lstrip('/')}\n")
    (stage / "DEBIAN").mkdir(parents=True)
    control = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: Nobody <nobody@example.com>\nDescription: test\n"
    (stage / "DEBIAN/control").write_text(control)
    (stage / "DEBIAN/md5sums").write_text("".join(sums))
    if conffiles:
        (stage / "DEBIAN/conffiles").write_text(conffiles)
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-b", str(stage), str(stage) + ".deb"], check=True, capture_output=True
    )
    return Path(str(stage) + ".deb")


def install(root: Path, *packages: Path) -> None:
    (root / "var/lib/dpkg/info").mkdir(parents=True, exist_ok=True)
    (root / "var/lib/dpkg/updates").mkdir(parents=True, exist_ok=True)
    (root / "var/lib/dpkg/status").touch()
    command = ["dpkg", f"--root={root}", f"--log={root}/var/log/dpkg.log", "--force-not-root", "--force-bad-path", "-i"]
    subprocess.run([*command, *map(str, packages)], check=True, capture_output=True)


@pytest.fixture
def upgraded(case: Case, root: Path, signer: Signer, tmp_path: Path) -> Path:
    """Two packages of version 1 in the baseline, then an upgrade of both and a new one."""
    conf = ("/etc/base.conf", (b"level = 1\n", 0o644))
    old = {"/usr/bin/base": (ELF + b"1", 0o755), "/usr/lib/base/gone.so": (ELF, 0o644), conf[0]: conf[1]}
    install(
        root,
        deb(tmp_path, "base", "1", old, "/etc/base.conf\n"),
        deb(tmp_path, "web", "1", {"/usr/sbin/web": (ELF + b"w1", 0o755)}),
    )
    baselines.create(case, str(root), signer)
    (tmp_path / "extra_1/usr/share/extra").mkdir(parents=True)
    (tmp_path / "extra_1/usr/share/extra/y").symlink_to("x")
    new = {
        "/usr/bin/base": (ELF + b"2", 0o755),
        "/usr/lib/base/come.so": (ELF + b"2", 0o644),
        conf[0]: (b"level = 2\n", 0o644),
    }
    install(
        root,
        deb(tmp_path, "base", "2", new, "/etc/base.conf\n"),
        deb(tmp_path, "web", "2", {"/usr/sbin/web": (ELF + b"w2", 0o755)}),
        deb(tmp_path, "extra", "1", {"/usr/share/extra/x": (b"x", 0o644)}),
    )
    return root


@NEEDS_DPKG
def test_an_upgrade_leaves_nothing_unexplained(case: Case, upgraded: Path) -> None:
    rows = verify(case, upgraded)
    assert unexplained(rows) == []
    assert rows["/usr/bin/base"].why == "package"
    assert rows["/usr/bin/base"].by == "base 2:all"
    assert rows["/usr/bin/base"].strength == "md5"
    assert rows["/usr/lib/base/gone.so"].what == "removed"
    assert rows["/usr/share/extra/x"].why == "package"
    assert rows["/usr/share/extra/y"].why == "link-to-package"
    assert verify.last.result.findings == ()  # type: ignore[attr-defined]
    assert verify.last.packages == {"installed": 1, "removed": 0, "upgraded": 2}  # type: ignore[attr-defined]


@NEEDS_DPKG
def test_a_trojan_set_during_the_upgrade_stands_out(case: Case, upgraded: Path) -> None:
    (upgraded / "usr/sbin/web").write_bytes(ELF + b"trojan")
    (upgraded / "usr/lib/base/inject.so").write_bytes(ELF)
    assert unexplained(verify(case, upgraded)) == ["/usr/lib/base/inject.so", "/usr/sbin/web"]
    assert {
        ("program-changed-unexplained", "/usr/sbin/web"),
        ("program-changed-unexplained", "/usr/lib/base/inject.so"),
    } <= rule_ids()


@NEEDS_DPKG
def test_power_given_during_the_upgrade_stands_out(case: Case, upgraded: Path) -> None:
    (upgraded / "usr/bin/base").chmod(0o4755)
    rows = verify(case, upgraded)
    assert unexplained(rows) == ["/usr/bin/base"]
    assert rows["/usr/bin/base"].left == ["mode"]
    assert ("new-power-on-program", "/usr/bin/base") in rule_ids()


@NEEDS_DPKG
def test_a_manifest_edited_to_fit_explains_nothing(case: Case, root: Path, signer: Signer, tmp_path: Path) -> None:
    install(root, deb(tmp_path, "web", "1", {"/usr/sbin/web": (ELF + b"w1", 0o755)}))
    baselines.create(case, str(root), signer)
    (root / "usr/sbin/web").write_bytes(ELF + b"trojan")
    sums = root / "var/lib/dpkg/info/web.md5sums"
    digest = subprocess.run(
        ["md5sum", str(root / "usr/sbin/web")], check=True, capture_output=True, text=True
    ).stdout.split()[0]
    sums.write_text(f"{digest}  usr/sbin/web\n")
    rows = verify(case, root)
    assert {"/usr/sbin/web", "package web", "/var/lib/dpkg/info/web.md5sums"} == set(unexplained(rows))
    assert ("package-manifest-altered", "package web") in rule_ids()


@NEEDS_DPKG
def test_accepting_the_explained_ends_it(case: Case, upgraded: Path, signer: Signer) -> None:
    (upgraded / "usr/sbin/web").write_bytes(ELF + b"trojan")
    verify(case, upgraded)
    baselines.accept(case, str(upgraded), signer, "upgrade", explained_only=True)
    assert unexplained(verify(case, upgraded)) == ["/usr/sbin/web"]
    assert [row.path for row in verify.last.changes if row.explained] == []  # type: ignore[attr-defined]


# --- logs -------------------------------------------------------------------------------------------------------------


def test_logs_that_grew_and_were_rotated_explain_themselves(case: Case, root: Path, signer: Signer) -> None:
    log = root / "var/log"
    (log / "app.log").write_text("one\ntwo\n")
    (log / "app.log.1").write_text("older\n")
    (log / "app.log.2.gz").write_bytes(gzip.compress(b"oldest\n", mtime=0))
    (log / "grows.log").write_text("a\n")
    baselines.create(case, str(root), signer)
    with (log / "grows.log").open("a") as file:
        file.write("b\n")
    (log / "app.log.2.gz").rename(log / "app.log.3.gz")
    (log / "app.log.2.gz").write_bytes(gzip.compress(b"older\n"))
    (log / "app.log.1").unlink()
    (log / "app.log").rename(log / "app.log.1")
    with (log / "app.log.1").open("a") as file:
        file.write("three\n")
    (log / "app.log").write_text("four\n")
    rows = verify(case, root)
    assert unexplained(rows) == []
    assert rows["/var/log/grows.log"].why == "log-grown"
    assert rows["/var/log/app.log.1"].why == "log-rotated"


def test_the_oldest_may_expire_but_not_one_between(case: Case, root: Path, signer: Signer) -> None:
    log = root / "var/log"
    (log / "app.log").write_text("now\n")
    (log / "app.log.1").write_text("one\n")
    (log / "app.log.2").write_text("two\n")
    baselines.create(case, str(root), signer)
    os.replace(log / "app.log.1", log / "app.log.2")
    os.replace(log / "app.log", log / "app.log.1")
    (log / "app.log").write_text("")
    assert unexplained(verify(case, root)) == []
    (log / "app.log.1").write_text("nothing to see\n")
    assert "/var/log/app.log" in unexplained(verify(case, root))


@pytest.mark.parametrize("content", ["one\n", "one\nTWO\nthree\n", ""])
def test_a_log_that_shrank_or_was_edited_stands_out(case: Case, root: Path, signer: Signer, content: str) -> None:
    log = root / "var/log/auth.log"
    log.write_text("one\ntwo\nthree\n")
    baselines.create(case, str(root), signer)
    log.write_text(content)
    assert unexplained(verify(case, root)) == ["/var/log/auth.log"]
    assert ("log-lost-content", "/var/log/auth.log") in rule_ids()


def test_a_removed_log_stands_out(case: Case, root: Path, signer: Signer) -> None:
    (root / "var/log/auth.log").write_text("one\n")
    baselines.create(case, str(root), signer)
    (root / "var/log/auth.log").unlink()
    assert unexplained(verify(case, root)) == ["/var/log/auth.log"]


# --- declared data ----------------------------------------------------------------------------------------------------


def test_declared_data_is_told_with_its_reason_but_never_a_program(case: Case, root: Path, signer: Signer) -> None:
    cache = root / "var/cache/man"
    cache.mkdir(parents=True)
    (cache / "index.db").write_bytes(b"one")
    baselines.create(case, str(root), signer)
    (cache / "index.db").write_bytes(b"two")
    (cache / "helper").write_bytes(ELF)
    (cache / "run").write_text("data, but executable")
    (cache / "run").chmod(0o755)
    rows = verify(case, root)
    assert rows["/var/cache/man/index.db"].by == "man-db: index of manual pages"
    assert unexplained(rows) == ["/var/cache/man/helper", "/var/cache/man/run"]


def test_a_folder_that_is_no_system_is_told_apart(case: Case, root: Path, signer: Signer) -> None:
    whole, _ = baselines.create(case, str(root), signer)
    part, _ = baselines.create(case, str(root / "etc"), signer)
    assert (is_part_of_a_system(whole), is_part_of_a_system(part)) == (False, True)
