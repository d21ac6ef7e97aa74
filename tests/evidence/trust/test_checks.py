import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinomi.evidence.trust.checks import MAX_CHECKS, is_checker, python_checks, shell_checks
from hinomi.model.errors import ParseError


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("sha256sum -c list || exit 1\n", [(1, False)]),
        ("sha256sum -c list || true\n", [(1, True)]),
        ("if ! gpg --verify a.sig a; then echo bad; exit 0; fi\n", [(1, True)]),
        ("if ! gpg --verify a.sig a; then echo bad; exit 2; fi\n", [(1, False)]),
        ("if openssl dgst -verify k -signature s f; then go; else :; fi\n", [(1, True)]),
        ("\nif [ $old_sum != $new_sum ]; then reboot; fi\n", [(2, False)]),
        ('if [ "$hash" = "$known" ]; then return 0; fi\n', []),
        ("if [ $count != 3 ]; then exit 0; fi\n", []),
        ("sha256sum x > y || exit 0\n", []),
    ],
)
def test_shell(script: str, expected: list[tuple[int, bool]]) -> None:
    assert [(c.line, c.ignored) for c in shell_checks(script.encode())] == expected


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("if digest != known:\n    pass\n", [(1, True)]),
        ("if digest != known:\n    count += 1\n", [(1, False)]),
        ("if not digest == known:\n    'nothing'\n", [(1, True)]),
        ("if path in manifest:\n    use()\nelse:\n    pass\n", [(1, True)]),
        ("if a != b:\n    pass\n", []),
        ("if digest == known:\n    use()\n", []),
    ],
)
def test_python(program: str, expected: list[tuple[int, bool]]) -> None:
    assert [(c.line, c.ignored) for c in python_checks(program.encode())] == expected


def test_another_python_is_refused() -> None:
    with pytest.raises(ParseError):
        python_checks(b"print 'x'\n")
    with pytest.raises(ParseError):
        python_checks(b"(" * 5000)


def test_names_of_checkers() -> None:
    assert is_checker(b"/opt/x/check_integrity.sh")
    assert is_checker(b"/opt/SCANNER/main.py")
    assert not is_checker(b"/integrity/a/b/backup.sh")


@given(st.binary(max_size=200), st.text("if[]!= \n;|${}sumthenfi-celse", max_size=120))
def test_any_script_gives_few_checks(data: bytes, text: str) -> None:
    for script in (data, text.encode()):
        assert len(shell_checks(script)) <= MAX_CHECKS
        try:
            assert len(python_checks(script)) <= MAX_CHECKS
        except ParseError:
            continue
