import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.autostart.site import MAX_TEXT, Home, Site, content_lines, joined
from hinomi.evidence.autostart.windows import find_path, located, program_of, user_homes
from hinomi.evidence.sources.memory import MemoryFile, memory_target
from hinomi.model.findings import Coverage

FILE = MemoryFile(b"x", mode=0o755)


def site(files: dict) -> Site:
    return Site(memory_target(files), Coverage())


def test_homes_come_from_passwd_and_from_the_usual_places() -> None:
    found = site(
        {
            "/etc/passwd": "root:x:0:0::/root:/bin/sh\nsvc:x:5:5::/srv/svc:/bin/sh\n"
            "gone:x:6:6::/nowhere:/bin/sh\nr:x:7:7::/:/bin/sh\n",
            "/root/.profile": "",
            "/srv/svc/a": "",
            "/home/ann/a": "",
            "/Users/jo/a": "",
            "/home/link": MemoryFile(link=b"ann"),
            "/home/file": b"",
        }
    )
    assert found.homes == (
        Home(b"/Users/jo", "jo"), Home(b"/home/ann", "ann"), Home(b"/root", "root"), Home(b"/srv/svc", "svc"),
    )  # fmt: skip
    assert found.home_of("gone") == b"/nowhere"
    assert found.home_of("nobody") is None


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("/usr/bin/x", "/usr/bin/x"),
        ("/bin/x", "/usr/bin/x"),
        ("/bin/missing", "/usr/bin/missing"),
        ("x", "/usr/bin/x"),
        ("missing", None),
        ("./x", None),
        ("$X/x", None),
        ("`x`", None),
        ("/etc/*.sh", None),
        ("~/y", "/home/u/y"),
        ("${HOME}/y", "/home/u/y"),
        ("/a/../usr/bin/x", "/usr/bin/x"),
        ("", None),
    ],
)
def test_words_become_paths(word: str, expected: str | None) -> None:
    files = {"/usr/bin/x": FILE, "/bin": MemoryFile(link=b"usr/bin"), "/a/b": FILE}
    assert site(files).program(word, home=b"/home/u") == expected


def test_long_and_unreadable_files_are_said(monkeypatch) -> None:
    found = site({"/long": b"a" * (MAX_TEXT + 1), "/closed": b"x", "/folder/a": b""})
    assert len(found.text(b"/long") or "") == MAX_TEXT
    assert found.text(b"/missing") is None and found.text(b"/folder") is None

    def refused(path: bytes, limit: int) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(found.view, "read", refused)
    monkeypatch.setattr(found.view, "listdir", lambda path: refused(path, 0))
    assert found.text(b"/closed") is None and found.names(b"/folder") == []
    assert [(m.subject, m.reason) for m in found.coverage.misses] == [
        ("/long", "too-large"), ("/closed", "permission"), ("/folder", "permission"),
    ]  # fmt: skip


def test_special_files_are_never_read() -> None:
    found = site({"/etc/rc.local": MemoryFile(kind="fifo"), "/etc/crontab": MemoryFile(link=b"/dev/null")})
    assert found.text(b"/etc/rc.local") is None and found.text(b"/etc/crontab") is None


def test_windows_names_and_variables() -> None:
    found = site(
        {"/WINDOWS/system32/Svc.EXE": FILE, "/Users/太郎/AppData/Roaming/a b/u.exe": FILE, "/Users/x.txt": b""}
    )
    home = next(user_homes(found))
    assert (home.path, home.user) == ("/Users/太郎".encode(), "太郎")
    assert find_path(found, b"windows", b"SYSTEM32") == b"/WINDOWS/system32"
    assert find_path(found, b"nothing") is None
    cases = {
        '"%SystemRoot%\\System32\\svc.exe" -k': "/WINDOWS/system32/Svc.EXE",
        "svc -k": "/WINDOWS/system32/Svc.EXE",
        "\\??\\C:\\Windows\\system32\\svc.exe": "/WINDOWS/system32/Svc.EXE",
        "system32\\svc.exe": "/WINDOWS/system32/Svc.EXE",
        "%APPDATA%\\a b\\u.exe /q": "/Users/太郎/AppData/Roaming/a b/u.exe",
        "rundll32.exe C:\\p\\x.dll,Start": "/p/x.dll",
        "cmd /c start C:\\p\\y.bat": "/p/y.bat",
        "powershell -nop -File C:\\p\\z.ps1": "/p/z.ps1",
        "%UNKNOWN%\\a.exe": None,
        "": None,
    }
    assert {command: program_of(found, command, home) for command in cases} == cases


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text('ab\\/:%"., .exe?*~$\n', max_size=120))
def test_any_text_is_a_path_or_none(text: str) -> None:
    found = site({"/a/b.exe": FILE})
    for result in (found.program(text, home=b"/h"), program_of(found, text), located(found, text)):
        assert result is None or result.startswith("/")
    assert all(line == line.strip() for _, line in content_lines(text))
    assert all(number > 0 for number, _ in joined(text))
