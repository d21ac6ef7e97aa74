import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.autostart.site import joined
from hinomi.evidence.identity.passwd import colon_lines, number_of, parse_passwd
from hinomi.evidence.identity.passwords import hash_method, password_state
from hinomi.evidence.identity.sudoers import read_sudoers


@pytest.mark.parametrize(
    ("field", "state", "method"),
    [
        ("", "empty", None),
        ("*", "locked", None),
        ("!", "locked", None),
        ("!!", "locked", None),
        ("x", "locked", None),
        ("$y$j9T$salt$hash", "hashed", "yescrypt"),
        ("$gy$j9T$salt$hash", "hashed", "gost-yescrypt"),
        ("$7$DU..../....salt$hash", "hashed", "scrypt"),
        ("$2b$12$abc", "hashed", "bcrypt"),
        ("$6$salt$hash", "hashed", "sha512"),
        ("$5$rounds=9$salt$hash", "hashed", "sha256"),
        ("$1$salt$hash", "hashed", "md5"),
        ("$3$$0123", "hashed", "nt"),
        ("$sha1$1$a$b", "hashed", "sha1"),
        ("$md5,rounds=5$a$b", "hashed", "sun-md5"),
        ("$new$a$b", "hashed", "unknown"),
        ("abJnggxhB/yWI", "hashed", "des"),
        ("_J9..rasmBYk8r9AiWNc", "hashed", "bsdi-des"),
        ("!$6$salt$hash", "locked", "sha512"),
        ("*LK*", "locked", None),
    ],
)
def test_password_fields(field: str, state: str, method: str | None) -> None:
    assert (password_state(field), hash_method(field)) == (state, method)


def test_passwd_lines_keep_their_place() -> None:
    found = list(parse_passwd("# c\n\nroot:x:0:0:r:/root:/bin/sh\r\n+::::::\nnoline\nshort:x:5\n::0:0:::\n"))
    assert [(a.line, a.name, a.uid, a.shell) for a in found] == [
        (3, "root", 0, "/bin/sh"),
        (4, "+", None, ""),
        (6, "short", 5, ""),
        (7, "", 0, ""),
    ]


@pytest.mark.parametrize("text", ["-1", "a", "99999999999", "4294967296", "٣", "1.0"])
def test_numbers_that_are_none(text: str) -> None:
    assert number_of(text) is None


def sudo(files: dict[bytes, str]):
    return read_sudoers(
        b"/etc/sudoers",
        lambda path: joined(files.get(path, "")),
        lambda folder: iter(sorted(p for p in files if p.startswith(folder + b"/"))),
    )


def test_sudo_rules_aliases_and_includes() -> None:
    rules = sudo(
        {
            b"/etc/sudoers": "Defaults env_reset\nUser_Alias OPS = ann, %ops : WEB = www\nOPS, bob ALL "
            "= (root) \\\n  NOPASSWD: ALL\n@includedir sudoers.d\n@include /etc/sudoers\n",
            b"/etc/sudoers.d/x": "WEB ALL=(ALL) /bin/x\n",
            b"/etc/sudoers.d/y.bak": "evil ALL=ALL\n",
        }
    )
    assert [(r.path, r.line, r.who, r.text) for r in rules] == [
        (b"/etc/sudoers", 3, ("bob", "ann", "%ops"), "OPS, bob ALL = (root) NOPASSWD: ALL"),
        (b"/etc/sudoers.d/x", 1, ("www",), "WEB ALL=(ALL) /bin/x"),
    ]


def test_aliases_that_name_each_other_end() -> None:
    assert sudo({b"/etc/sudoers": "User_Alias A = B\nUser_Alias B = A\nA ALL=ALL\n"})[0].who == ("A",)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text("root:x0$6!*_,= \n\\@#include/ALL()%\0", max_size=300))
def test_any_text_is_read(text: str) -> None:
    list(parse_passwd(text))
    list(colon_lines(text, 9))
    password_state(text)
    hash_method(text)
    sudo({b"/etc/sudoers": text, b"/etc/sudoers.d/a": text})
