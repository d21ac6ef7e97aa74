import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.office.vba_meaning import meaning


def test_a_dropper_is_understood() -> None:
    said = meaning(
        "Private Sub Workbook_Open()\r\n"
        '  p = Environ("APPDATA") & "\\Microsoft\\Windows\\Start Menu\\Programs\\Startup\\" & n\r\n'
        "  Open p For Binary As #1\r\n  Put #1, , b\r\n  Close #1\r\n  Shell p, vbHide\r\nEnd Sub"
    )
    assert said.auto_run == ("Workbook_Open",)
    assert said.writes == ("Open For Output", "Put")
    assert said.executes == ("Shell",)
    assert said.startup_folder
    assert said.lines == 7
    assert "Open p For Binary" in said.excerpt


@pytest.mark.parametrize(
    "line",
    [
        'f = CreateObject("WScr" & "ipt.Sh" & "ell").SpecialFolders("Start" & "up")',
        'f = sh.SpecialFolders(StrReverse("putratS"))',
        'Set f = CreateObject("Shell.Application").Namespace(7)',
        'sh.RegWrite "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Ru" & "n\\x", p',
        'p = "C:\\Documents and Settings\\u\\スタート メニュー\\プログラム\\スタートアップ\\a.exe"',
        'p = a & "\\Startup\\" & b',
    ],
)
def test_startup_places_are_seen(line: str) -> None:
    assert meaning(line).startup_folder


@pytest.mark.parametrize(
    "line", ['MsgBox "Startup"', 'p = "C:\\App\\startup\\config"', 'x = "Runtime"', "Call Startup"]
)
def test_other_startups_are_not(line: str) -> None:
    assert not meaning(line).startup_folder


@pytest.mark.parametrize(
    ("line", "kind", "name"),
    [
        ('x = Shell("a.exe", 0)', "executes", "Shell"),
        ('VBA.Shell "a.exe"', "executes", "Shell"),
        ("If a Then Shell b", "executes", "Shell"),
        ('Set o = CreateObject(Chr(87) & "Script.Shell")', "executes", "WScript.Shell"),
        ('Set o = GetObject("new:13709620-C279-11CE-A49E-444553540000")', "executes", "Shell.Application"),
        ('GetObject("winmgmts:").Get("Win32_" & "Process").Create p', "executes", "Win32_Process"),
        ('CallByName o, "R" & "un", VbMethod, c', "executes", "CallByName Run"),
        ('c = "cmd" & ".exe /c start x"', "executes", "command"),
        (
            'Private Declare PtrSafe Function f Lib "urlmon" Alias "URLDownloadToFileA" ()',
            "downloads",
            "URLDownloadToFile",
        ),
        ('Declare Function go Lib "kernel32" Alias "CreateProcessA" ()', "executes", "CreateProcess"),
        ("x = VBA.Interaction.Shell(c)", "executes", "Shell"),
        ('Name t As t & ".exe"', "writes", "Name As"),
        ("r = URLDownloadToFile(0, u, p, 0, 0)", "downloads", "URLDownloadToFile"),
        ('Set h = CreateObject("MSXML2.ServerXMLHTTP.6.0")', "downloads", "XMLHTTP"),
        ('Set h = CreateObject("WinHttp.WinHttpRequest.5.1")', "downloads", "WinHttp"),
        ('Set s = CreateObject("ADODB" & ".Stream")', "writes", "ADODB.Stream"),
        ("s.SaveToFile p, 2", "writes", "SaveToFile"),
        ("Set t = fso.CreateTextFile(p, True)", "writes", "CreateTextFile"),
        ("FileCopy a, b", "writes", "FileCopy"),
        ("Open p For Output As #1", "writes", "Open For Output"),
    ],
)
def test_calls_are_seen(line: str, kind: str, name: str) -> None:
    assert name in getattr(meaning(line), kind)


@pytest.mark.parametrize(
    "line",
    [
        'MsgBox "Shell the eggs"',
        "Shellfish = 3",
        "Open p For Input As #1",
        "Open p For Binary Access Read As #1",
        "Workbooks.Open p",
        "' Shell x",
        'x = "Print \'s"',
        "Print #1, a",
        "Name = b",
        "x.Name = y as z",
        "shell = 1",
    ],
)
def test_honest_lines_do_nothing(line: str) -> None:
    said = meaning(line)
    assert not (said.writes or said.executes or said.downloads)


@pytest.mark.parametrize(
    "name", ["Auto_Open", "AUTO_OPEN", "AutoExec", "Document_Open", "Image1_MouseMove", "Workbook_Activate"]
)
def test_procedures_that_run_by_themselves(name: str) -> None:
    assert meaning(f"Public Sub {name}()").auto_run == (name,)
    assert meaning(f'x = "Sub {name}()"').auto_run == ()


@pytest.mark.parametrize("unit", ["open ", "=  ", "Chr(1)&", '"a"&', ".write ", "(", 'Replace("a",'])
def test_hostile_lines_take_little_time(unit: str) -> None:
    before = time.process_time()
    meaning("\n".join([unit * 4000] * 6))
    assert time.process_time() - before < 4


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.text(max_size=400))
def test_any_text_has_a_meaning(text: str) -> None:
    said = meaning(text)
    assert len(said.excerpt) <= 500
