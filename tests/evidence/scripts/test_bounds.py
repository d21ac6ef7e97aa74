"""Hostile and huge scripts: bounded work, no exception but ParseError, the same rows every time."""

from __future__ import annotations

import os
import time
from itertools import product
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.scripts import ScriptAnalysis, analyse
from hinomi.evidence.scripts.detect import Language, guessed, language_of
from hinomi.evidence.scripts.shell.registry import HANDLERS
from hinomi.evidence.scripts.shingles import minhash
from hinomi.model.errors import ParseError

LANGUAGES = ("shell", "powershell", "javascript")
BITS = st.sampled_from(
    [b"$(", b"`", b"${", b"}", b")", b"((", b"[[", b"]]", b"if ", b"; then ", b"fi", b"while ", b"do ", b"done\n", b"case ", b" in ", b"esac", b"&&",
     b"||", b"|", b"&", b"\n", b" ", b"'", b'"', b"\\", b"<<E\n", b"E\n", b">", b"<", b"$x", b"x=", b"f() {", b"f", b"pgrep x", b"eval ", b"sh -c ",
     b"echo ", b"base64 -d", b"for i in 1 2 3;", b"0", b"-f", b"/a/b", b"%s", b"{a,b}", b"{1..9}", b"trap ", b"xargs ", b"printf ", b"dd of=", b"sed -i ", b"$'\\ud800'",
     b"\\udc80", b"printf '\\ud9ff' | sh"]
)  # fmt: skip


def quietly(data: bytes, language: str) -> ScriptAnalysis | None:
    try:
        return analyse("/opt/x/a", data, language=language)  # type: ignore[arg-type]
    except ParseError:
        return None


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.binary(max_size=300), st.sampled_from(LANGUAGES))
def test_any_bytes(data: bytes, language: str) -> None:
    first = quietly(data, language)
    assert first is not None
    assert first == quietly(data, language)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(BITS, max_size=40))
def test_any_shell_pieces(parts: list[bytes]) -> None:
    found = quietly(b"".join(parts), "shell")
    assert found is not None
    assert [a.order for a in found.actions] == list(range(len(found.actions)))


@pytest.mark.parametrize("options", list(product(("-n", "-e", "-c", "-", "--", "A=1"), repeat=2)))
def test_every_command_ends_with_any_options(options: tuple[str, str]) -> None:
    """Each command that is understood has a reading of its options; none may read for ever."""
    assert quietly(b":\n", "shell") is not None  # all are registered once a script is read
    assert len(HANDLERS) > 100
    for name in sorted(HANDLERS):
        found = quietly(f"{name} {' '.join(options)} x y\n".encode(), "shell")
        assert found is not None and not found.script.truncated


DEEP: dict[Language, tuple[str, str]] = {  # (what joins texts, a program around an expression)
    "python": (" + ", "import os\nx = {0}\nos.system({0})\nif {0}: os.system('/opt/a')\n"),
    "perl": (" . ", "my $x = {0};\nsystem({0});\nif ({0}) {{ system('/opt/a'); }}\n"),
    "php": (" . ", "<?php $x = {0};\nsystem({0});\nif ({0}) {{ system('/opt/a'); }}\n"),
    "ruby": (" + ", "x = {0}\nsystem({0})\nif {0} then system('/opt/a') end\n"),
    "lua": (" .. ", "x = {0}\nos.execute({0})\nif {0} then os.execute('/opt/a') end\n"),
}


@pytest.mark.parametrize("language", DEEP)
@pytest.mark.parametrize("shape", ["chain", "calls", "brackets", "sums", "either", "own"])
def test_deep_expressions_are_read_in_one_pass(language: Language, shape: str) -> None:
    """Each part of an expression is read once: twice at each of forty levels would never end."""
    join, program = DEEP[language]
    text = {
        "chain": join.join(["'a'"] * 300),
        "calls": "str(" * 60 + "'a'" + ")" * 60,
        "brackets": ("('a'" + join) * 60 + "'b'" + ")" * 60,
        "sums": " + ".join(["1"] * 300),
        "either": ("(f()" + join) * 60 + "1" + ")" * 60,
        "own": "system(" * 60 + "'a'" + ")" * 60,
    }[shape]
    found = quietly(program.format(text).encode(), language)
    assert found is not None
    assert "/opt/a" in {action.object for action in found.actions}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.binary(max_size=200), st.binary(max_size=400))
def test_detection_never_fails(path: bytes, head: bytes) -> None:
    assert language_of(b"/" + path, head) in (*get_args(Language), None)
    assert guessed(path, head) in (True, False)


NESTED = {
    "subshells": b"(" * 4000 + b"x" + b")" * 4000,
    "braces": b"{ " * 3000 + b"/opt/x; " + b"};" * 3000,
    "ifs": b"if a; then " * 1500 + b"/opt/x;" + b"fi;" * 1500,
    "substitutions": b"echo " + b"$(echo " * 1500 + b"x" + b")" * 1500,
    "expansions": b"echo " + b"${a:-" * 3000 + b"x" + b"}" * 3000,
    "chain": b"a && " * 20_000 + b"/opt/x",
    "pipes": b"a | " * 8000 + b"/opt/x",
    "tests": b"[ " + b"! " * 3000 + b"-f x ] && /opt/x",
    "arithmetic": b"sleep $((" + b"(" * 3000 + b"1" + b")" * 3000 + b"))",
    "power": b"sleep $((" + b"9*" * 3000 + b"9))",
    "doubling": b"a=xxxxxxxxxxxxxxxx\n" + b"a=$a$a\n" * 60 + b"echo $a > /tmp/o",
    "braces-list": b"echo " + b"{a,b}" * 40,
    "functions": b"f0() { /opt/x; }\n"
    + b"".join(b"f%d() { f%d; f%d; f%d; }\n" % (i, i - 1, i - 1, i - 1) for i in range(1, 30))
    + b"f29\n",
    "recursion": b"f() { g; }\ng() { f; }\nf\n",
    "eval": b"x='eval $x'\neval $x\n",
    "eval-nest": b"eval " * 200 + b"/opt/x",
    "nohup-nest": b"nohup " * 5000 + b"/opt/x",
    "commands": b"/opt/x\n/opt/y\n" * 20_000,
    "heredocs": b"cat <<A\n" * 2000,
    "quotes": b"'\"`" * 3000,
    "long-word": b"echo " + b"a" * 500_000,
    "colons": b"echo '" + b"a:b:1:2:" * 5000 + b"' >> /etc/passwd",
    "printf": b"printf '%s%s%s%s' " + b"abc " * 5000,
    "for": b"for a in 1 2 3 4 5 6 7 8; do " * 12 + b"/opt/x; " + b"done;" * 12,
    "case": b"case a in " + b"x) b;; " * 5000 + b"esac",
}


@pytest.mark.parametrize("name", NESTED)
def test_hostile_shell_is_bounded(name: str) -> None:
    began = time.process_time()
    found = quietly(NESTED[name], "shell")
    assert found is not None
    assert time.process_time() - began < 8
    assert len(found.actions) <= 5000


@pytest.mark.parametrize("language", ["powershell", "javascript"])
@pytest.mark.parametrize(
    "data",
    [b"(" * 3000, b"{" * 3000, b"if (a) {" * 1000, b"f(" * 2000 + b")" * 2000, b"a+" * 20_000 + b"a", b"'a'," * 20_000 + b"'a'", b"[" * 3000, b"$(" * 2000,
     b"iex " * 1000, b"eval(" * 2000 + b"1" + b")" * 2000, b"a.b(" * 1500 + b"c" + b")" * 1500, b"\x00" * 5000, b"$x = $x + $x\n" * 2000],
)  # fmt: skip
def test_hostile_others_are_bounded(language: str, data: bytes) -> None:
    began = time.process_time()
    assert quietly(data, language) is not None
    assert time.process_time() - began < 8


def test_deep_nesting_is_said() -> None:
    found = quietly(NESTED["ifs"], "shell")
    assert found is not None
    assert found.script.truncated


def test_unknown_content_is_a_parse_error() -> None:
    with pytest.raises(ParseError):
        analyse("/opt/a.bin", b"\x00\x01\x02")


# --- near twins -------------------------------------------------------------------------------------------------

TWIN = """#!/bin/sh
HOME_DIR=/opt/alpha
OTHER=betad
while true; do
  n=$(ps ax | grep $OTHER | grep -v grep | wc -l)
  if [ $n -eq 0 ]; then
    nohup $HOME_DIR/$OTHER > /dev/null 2>&1 &
  fi
  if [ -f /tmp/task ]; then
    sh /tmp/task > /tmp/result
    rm -f /tmp/task
  fi
  sleep 10
done
"""


def alike(a: str, b: str) -> float:
    one, two = (analyse("/opt/x/a", t.encode(), language="shell").script.shingles for t in (a, b))
    return sum(x == y for x, y in zip(one, two, strict=True)) / 64


def test_near_twins_share_most_values() -> None:
    renamed = (
        TWIN.replace("alpha", "gamma/.hidden").replace("betad", "deltad").replace("OTHER", "TWO").replace("10", "15")
    )
    changed = renamed.replace("  sleep 15\n", "  echo alive >> /tmp/log\n  sleep 15\n")
    assert alike(TWIN, TWIN) == 1
    assert alike(TWIN, renamed) > 0.9
    assert alike(TWIN, changed) > 0.6


def test_other_scripts_share_little() -> None:
    other = '#!/bin/sh\nset -e\ncase "$1" in\nconfigure)\n update-rc.d foo defaults >/dev/null\n ldconfig\n;;\nabort-upgrade|abort-remove)\n;;\n*)\n echo "unknown $1" >&2\n exit 1\n;;\nesac\nexit 0\n'
    assert alike(TWIN, other) < 0.3


def test_short_scripts_have_no_shingles() -> None:
    assert minhash(["a"] * 10) == []
    assert len(minhash([str(i) for i in range(100)])) == 64


# --- real scripts -----------------------------------------------------------------------------------------------


def system_scripts() -> list[str]:
    found = []
    for folder in ("/usr/bin", "/usr/sbin", "/etc/init.d"):
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path) and os.path.getsize(path) < 60_000:
                with open(path, "rb") as file:
                    if language_of(path.encode(), file.read(4096)) == "shell":
                        found.append(path)
    return found[:60]


def test_the_system_s_own_scripts_parse() -> None:
    paths = system_scripts()
    if not paths:
        pytest.skip("no shell scripts on this system")
    clean = 0
    for path in paths:
        with open(path, "rb") as file:
            found = analyse(path, file.read())
        assert not found.script.truncated, path
        clean += found.script.parse_errors <= found.script.lines / 50
        watchdogs = [a for a in found.actions if a.action == "starts" and a.guard_kind == "not-running" and a.in_loop]
        assert not watchdogs, path
    assert clean >= len(paths) * 0.8
