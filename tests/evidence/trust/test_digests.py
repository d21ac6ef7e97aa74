import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinomi.evidence.trust.digests import MAX_ROWS, listed, may_list


def test_what_the_tools_write_is_read(tmp_path: Path) -> None:
    (tmp_path / "a b").write_text("x")
    (tmp_path / "c").write_text("y")
    for options in (["sha256sum"], ["md5sum"], ["sha256sum", "--tag"], ["sha512sum", "-b"]):
        made = subprocess.run([*options, "a b", "c"], cwd=tmp_path, check=True, capture_output=True).stdout
        rows = listed("/fw/manifest", made)
        assert [(r.line, r.file, r.name) for r in rows] == [(1, "/fw/a b", "a b"), (2, "/fw/c", "c")]
        algorithm = options[0].removesuffix("sum")
        assert [r.digest for r in rows] == [hashlib.new(algorithm, d).hexdigest() for d in (b"x", b"y")]


def test_name_before_digest_and_absolute_names() -> None:
    digest = "A" * 64
    rows = listed("/fw/list", f"/bin/x {digest}\n/bin/y: {digest}\n# note\n".encode())
    assert [(r.file, r.digest, r.algorithm) for r in rows] == [
        ("/bin/x", "a" * 64, "sha256"),
        ("/bin/y", "a" * 64, "sha256"),
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"/home/etc/manifest/manifest", True),
        (b"/fw/SHA256SUMS", True),
        (b"/fw/files.md5sums", True),
        (b"/fw/checksums.txt", True),
        (b"/var/lib/dpkg/info/bash.md5sums", False),
        (b"/fw/checksummer", False),
    ],
)
def test_names_of_lists(path: bytes, expected: bool) -> None:
    assert may_list(path) is expected


@given(st.binary(max_size=600))
def test_any_content_gives_rows_within_bounds(data: bytes) -> None:
    assert len(listed("/m", data)) <= MAX_ROWS + 1
