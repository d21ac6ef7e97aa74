"""The SQL vocabulary of rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.detect import macros
from hinomi.detect.catalogue import BUILT_IN
from hinomi.detect.sql import Evidence

CASES = [
    ("basename('/a/b.c')", "b.c"),
    ("basename('b')", "b"),
    (r"basename('C:\a\b.exe')", "b.exe"),
    ("basename('/a/')", ""),
    ("dirname('/a/b')", "/a"),
    ("dirname('/a')", ""),
    (r"dirname('C:\a\b')", r"C:\a"),
    ("stem('/a/x.tar.gz')", "x.tar"),
    ("stem('.bashrc')", ".bashrc"),
    ("stem('/a/x')", "x"),
    ("ext('/a/X.TXT')", "txt"),
    ("ext('.bashrc')", ""),
    ("ext('/a.b/c')", ""),
    ("under('/a/b', '/a')", True),
    ("under('/a', '/a/')", True),
    ("under('/ab', '/a')", False),
    ("is_hidden('/a/.b/c')", True),
    ("is_hidden('/a/..b/c')", False),
    ("is_hidden('/a/b.c')", False),
    ("is_hidden('/a/./b')", False),
    ("is_hidden('.x')", True),
    ("in_system_dir('/usr/bin/x')", True),
    ("in_system_dir('/usr/local/bin/x')", False),
    ("in_system_dir('/opt/bin/x')", False),
    ("in_system_dir('/Windows/System32/a.exe')", True),
    (r"in_system_dir('C:\WINDOWS\a.exe')", True),
    ("in_temp_dir('/tmp/x')", True),
    ("in_temp_dir('/dev/shm/x')", True),
    ("in_temp_dir('/tmpx/x')", False),
    ("in_temp_dir('/Users/a/AppData/Local/Temp/x.exe')", True),
    ("in_temp_dir('/usr/share/tmp/x')", False),
    ("in_volatile_dir('/run/x')", True),
    ("in_volatile_dir('/srv/x')", False),
    ("in_home('/home/a/x')", True),
    ("in_home('/root/x')", True),
    ("in_home('/homes/a')", False),
    ("in_home('/Users/me/x')", True),
    ("outer_path('/a/b.jar » c » d')", "/a/b.jar"),
    ("outer_path('/a')", "/a"),
    ("same_name('/a/Foo.sh', 'foo')", True),
    ("same_name('/a/foo', '/b/foot')", False),
    ("same_name('', '')", False),
    ("near_name('daemond', 'daemonb')", True),
    ("near_name('daemond', 'DAEMOND')", False),
    ("near_name('ab', 'ac')", False),
    ("what_ja('added')", "追加"),
    ("what_ja('came-and-went')", "作成後に削除"),
    ("what_ja('hidden')", "hidden"),
    ("near_name('alpha', 'gamma')", False),
    ("names('sh -c /opt/a/b', '/opt/a/b')", True),
    ("names('run b-tool now', '/opt/b')", False),
    ("names('run B now', '/opt/b')", True),
    ("names('cab', 'b')", False),
    ("names('x', '/a/')", False),
    ("is_word_for('/opt/a/b', '/opt/a/b')", True),
    ("is_word_for('/mnt/root/opt/a/b', '/opt/a/b')", True),
    ("is_word_for('$T/opt/a/b', '/opt/a/b')", True),
    ("is_word_for('./b', '/opt/a/b')", True),
    ("is_word_for('a/b', '/opt/a/b')", True),
    ("is_word_for('${HERE}/b', '/opt/a/b')", True),
    ("is_word_for('$(pwd)/b', '/opt/a/b')", True),
    ("is_word_for('/tmp/b', '/opt/a/b')", False),
    ("is_word_for('cache/b', '/opt/a/b')", False),
    ("is_word_for('cache/b/x', '/opt/a/b')", False),
    ("is_word_for('', '/opt/a/b')", False),
    ("is_word_for('-b', '/opt/a/b')", False),
    ("is_interpreter('/bin/bash')", True),
    ("is_interpreter('Python3.11')", True),
    ("is_interpreter('/usr/bin/bashful')", False),
    ("is_interpreter('powershell.exe')", True),
    ("is_public_address('8.8.8.8')", True),
    ("is_public_address('10.0.0.1')", False),
    ("is_public_address('172.20.1.1')", False),
    ("is_public_address('172.40.1.1')", True),
    ("is_public_address('203.0.113.9')", False),
    ("is_public_address('x')", False),
    ("is_public_address('239.1.1.1')", False),
    ("is_public_address('100.64.0.1')", False),
    ("twin_score([1,2,3,4], [1,2,3,9])", 0.75),
    ("twin_score([], [])", 0.0),
    ("twin_score([1], [1,2])", 0.0),
]


@pytest.fixture(scope="module")
def evidence() -> Iterator[Evidence]:
    with Evidence({}) as opened:
        yield opened


@pytest.mark.parametrize(("call", "expected"), CASES, ids=[call for call, _ in CASES])
def test_macro(evidence: Evidence, call: str, expected: object) -> None:
    assert evidence.query(f"SELECT {call}").rows == [(expected,)]


def test_membership_macros_ask_the_tables(tables) -> None:
    with Evidence(tables(scripts=[{"path": "/a"}], elf=[{"path": "/b"}])) as opened:
        query = "SELECT is_script(p), is_elf(p) FROM (SELECT unnest(['/a', '/b']) AS p) ORDER BY p"
        assert opened.query(query).rows == [(True, False), (False, True)]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=40))
def test_parts_of_a_path_join_again(evidence: Evidence, path: str) -> None:
    rows = evidence.query("SELECT basename(?), dirname(?), ext(?), outer_path(?)", [path] * 4).rows
    base, folder, suffix, outer = rows[0]
    assert path.endswith(base) and "/" not in base
    assert path.startswith(folder) and path.startswith(outer)
    assert "." not in suffix and "/" not in suffix


def test_every_macro_is_documented() -> None:
    readme = Path(BUILT_IN / "README.md").read_text(encoding="utf-8")
    defined = {
        line.split("MACRO ", 1)[1].split("(")[0] for line in macros.MACROS.splitlines() if "CREATE MACRO" in line
    }
    assert {name for name in defined if f"`{name}(" not in readme} == {"bare_name"}  # only same_name's own helper
