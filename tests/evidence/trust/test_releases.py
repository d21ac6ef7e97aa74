import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinomi.evidence.trust.releases import MAX_ROWS, is_release_file, release_rows


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"/VERSION", True),
        (b"/etc/os-release", True),
        (b"/etc/version", True),
        (b"/home/etc/Build_Info.txt", True),
        (b"/system/build.prop", True),
        (b"/etc/lsb-release", True),
        (b"/usr/lib/node_modules/x/y/VERSION", False),
        (b"/usr/bin/lsb_release_check", False),
        (b"/etc/conversion-table", False),
    ],
)
def test_names_and_places(path: bytes, expected: bool) -> None:
    assert is_release_file(path) is expected


def said(text: str) -> list[tuple]:
    return [(r.line, r.name, r.version, r.built_at) for r in release_rows("/VERSION", text.encode())]


def test_what_release_files_say() -> None:
    assert said('VERSION_ID="12.1"\nSUPPORT_END="2029-05-13"\nHOME_URL="https://e.org/1.2"\n') == [
        (1, "VERSION_ID", "12.1", None)
    ]
    assert said("export REL_BUILD=2143\nexport REL_DATE=2023-03-07\n9.1.3-R2\n") == [
        (2, "REL_DATE", None, 1678147200.0),
        (3, "", "9.1.3-R2", None),
    ]
    assert said("ro.build.date.utc=1678183200\n") == [(1, "ro.build.date.utc", None, 1678183200.0)]
    assert said("Copyright 2020-01-01 Example\n") == []


@given(st.binary(max_size=400))
def test_any_content_gives_few_rows(data: bytes) -> None:
    assert len(list(release_rows("/VERSION", data))) <= MAX_ROWS
