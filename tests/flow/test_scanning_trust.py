"""A release that was never installed and a list of digests that was signed anew, in images built with real tools."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hinomi.detect.catalogue import load_rules
from hinomi.evidence.options import ScanOptions
from hinomi.flow.scanning import ScanResult, scan
from hinomi.store.case import Case

BUILT = 1_650_000_000
LATER = 1_665_000_000
CHECKER = """#!/bin/sh
if ! openssl dgst -sha256 -verify /opt/fw/list.2 -signature /opt/fw/manifest.1 /opt/fw/manifest; then
  logger "list differs"
  exit {code}
fi
sha256sum -c /opt/fw/manifest || exit {code}
"""


def built(folder: Path) -> Path:
    """Write a small system: programs, pages, a release file, a signed list of digests and its checker."""
    programs = [p for p in sorted(Path("/usr/bin").iterdir()) if p.is_file() and not p.is_symlink()]
    (folder / "usr/bin").mkdir(parents=True)
    elf = [p for p in programs if p.stat().st_size < 80_000 and p.read_bytes()[:4] == b"\x7fELF"][:15]
    for program in elf:
        shutil.copy(program, folder / "usr/bin")
    write(folder / "www/login.cgi", "#!/bin/sh\necho ok\n")
    write(folder / "VERSION", "export REL=12.4.1\nexport REL_DATE=2022-04-15\n")
    write(folder / "etc/passwd", "root:x:0:0::/root:/bin/sh\n")
    write(folder / "opt/fw/check_integrity.sh", CHECKER.format(code=1))
    signed(folder)
    dated(folder, BUILT)
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def signed(folder: Path) -> None:
    """List every program and page, and sign the list with a new key."""
    key = rsa.generate_private_key(65537, 2048)
    covered = sorted([*(folder / "usr/bin").iterdir(), folder / "www/login.cgi"])
    lines = [f"{hashlib.sha256(p.read_bytes()).hexdigest()}  /{p.relative_to(folder)}\n" for p in covered]
    write(folder / "opt/fw/manifest", "".join(lines))
    signature = key.sign("".join(lines).encode(), padding.PKCS1v15(), hashes.SHA256())
    (folder / "opt/fw/manifest.1").write_bytes(signature)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "opt/fw/manifest.2").write_bytes(pem)


def dated(folder: Path, at: int) -> None:
    for number, path in enumerate(sorted(folder.rglob("*"))):
        os.utime(path, (at + 3600 * number, at + 3600 * number))


def tampered(folder: Path) -> Path:
    """What an intruder does: a page changed, the list made and signed anew, the check silenced, a newer release claimed."""
    write(folder / "www/login.cgi", "#!/bin/sh\necho ok # and more\n")
    signed(folder)
    write(folder / "opt/fw/check_integrity.sh", CHECKER.format(code=0))
    write(folder / "VERSION", "export REL=12.6.0\nexport REL_DATE=2022-10-01\n")
    for name in ("www/login.cgi", "opt/fw/manifest", "opt/fw/manifest.1", "opt/fw/manifest.2", "VERSION"):
        os.utime(folder / name, (LATER, LATER))
    return folder


def as_squashfs(folder: Path, out: Path) -> Path:
    tool = shutil.which("mksquashfs")
    if tool is None:
        pytest.skip("mksquashfs is not here")
    subprocess.run([tool, folder, out, "-quiet", "-no-progress", "-all-root"], check=True, capture_output=True)
    return out


def rules_hit(folder: Path, new: Path, original: Path | None = None) -> tuple[dict[str, str], ScanResult]:
    with Case.open(folder / "case") as case:
        compare = None if original is None else str(original)
        (result,) = scan(case, [str(new)], load_rules(), options=ScanOptions(jobs=1), compare=compare)
    return {f.rule_id: f.severity for f in result.findings}, result


OURS = {
    "release-newer-than-programs", "release-claimed-not-installed", "manifest-signed-anew", "signing-key-replaced",
    "integrity-checker-silenced",
}  # fmt: skip


def test_a_tampered_image_alone(tmp_path: Path) -> None:
    image = as_squashfs(tampered(built(tmp_path / "root")), tmp_path / "new.sqsh")
    found, result = rules_hit(tmp_path, image)
    assert {rule: found[rule] for rule in OURS & found.keys()} == {
        "release-newer-than-programs": "medium",
        "manifest-signed-anew": "high",
        "integrity-checker-silenced": "high",
    }
    (anew,) = [f for f in result.findings if f.rule_id == "manifest-signed-anew"]
    assert anew.subject_key == "/opt/fw/manifest.2" and "/www/login.cgi" in anew.related


def test_a_tampered_image_beside_its_original(tmp_path: Path) -> None:
    original = as_squashfs(built(tmp_path / "root"), tmp_path / "old.sqsh")
    image = as_squashfs(tampered(tmp_path / "root"), tmp_path / "new.sqsh")
    found, _ = rules_hit(tmp_path, image, original)
    assert found.keys() >= OURS
    assert found["release-claimed-not-installed"] == "high"


def test_an_honest_image_is_quiet(tmp_path: Path) -> None:
    found, result = rules_hit(tmp_path, as_squashfs(built(tmp_path / "root"), tmp_path / "old.sqsh"))
    assert not OURS & found.keys()
    assert result.coverage.complete


def test_an_honest_upgrade_is_quiet(tmp_path: Path) -> None:
    """The vendor's next release: other programs, another version, the list signed by the vendor's key as before."""
    original = as_squashfs(built(tmp_path / "root"), tmp_path / "old.sqsh")
    folder = tmp_path / "root"
    key = (folder / "opt/fw/manifest.2").read_bytes()
    for program in sorted((folder / "usr/bin").iterdir()):
        program.write_bytes(program.read_bytes() + b"next")
    write(folder / "VERSION", "export REL=12.6.0\nexport REL_DATE=2022-10-01\n")
    signed(folder)
    (folder / "opt/fw/manifest.2").write_bytes(key)
    dated(folder, LATER)
    os.utime(folder / "opt/fw/manifest.2", (BUILT, BUILT))
    found, _ = rules_hit(tmp_path, as_squashfs(folder, tmp_path / "new.sqsh"), original)
    assert not OURS & found.keys()
