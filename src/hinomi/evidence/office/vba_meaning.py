"""What VBA source does: which procedures run by themselves, what it writes, starts and fetches, whether it stays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hinomi.evidence.office.vba_text import Folder, logical_lines
from hinomi.model.text import printable

MAX_FOUND = 100
MAX_SOURCE = 2 << 20
MAX_EXCERPT = 500
_PROCEDURE = re.compile(r"(?:(?:public|private|friend|static)\s+){0,3}(?:sub|function)\s+(\w{1,255})", re.IGNORECASE)
_AUTO_NAMES = frozenset(
    [f"auto_{event}" for event in ("open", "close", "activate", "deactivate", "exec", "exit", "new")]
    + [f"auto{event}" for event in ("exec", "open", "close", "new", "exit", "execute")]
    + [f"document_{event}" for event in ("open", "close", "new", "beforeclose")]
    + [f"document{event}" for event in ("open", "beforeclose", "change", "complete")]
    + [f"workbook_{event}" for event in ("open", "activate", "close", "beforeclose", "addininstall")]
    + ["workbook_sheetactivate", "workbook_windowactivate"]
    + [f"worksheet_{event}" for event in ("activate", "calculate", "change")]
    + ["presentation_open", "presentationopen", "presentation_close", "onslideshowpagechange", "slideshowbegin"]
    + ["application_startup", "application_newmail"]
)
_AUTO_SUFFIX = re.compile(r"_(layout|painting|painted|gotfocus|mousemove|resize|beforenavigate2|downloadcomplete)$")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a module's text does; every list in order of first appearance, without repeats."""

    auto_run: tuple[str, ...]
    writes: tuple[str, ...]
    executes: tuple[str, ...]
    downloads: tuple[str, ...]
    startup_folder: bool
    lines: int
    excerpt: str


# What a call is in code (outside strings), by the name it is shown under.
_CODE: dict[str, tuple[tuple[str, re.Pattern[str]], ...]] = {
    "writes": (
        ("Put", re.compile(r"^\s*put\s+#?\w{1,60}\s*,", re.I)),
        ("SaveToFile", re.compile(r"\.\s*savetofile\b", re.I)),
        ("CreateTextFile", re.compile(r"\.\s*createtextfile\b", re.I)),
        ("FileCopy", re.compile(r"\bfilecopy\b", re.I)),
        ("CopyFile", re.compile(r"\.\s*(?:copyfile|movefile)\b|\bcopyfile[aw]?\b", re.I)),
        ("WriteFile", re.compile(r"\b(?:writefile|createfile[aw]?|_lwrite)\b", re.I)),
    ),
    "executes": (
        (
            "Shell",
            re.compile(
                r"(?:^|[=(,:&]|\bcall\b|\bthen\b|\belse\b|\b(?:vba|interaction)\s*\.|\bset\b)\s*shell\b(?!\s*[=.])",
                re.I,
            ),
        ),
        (
            "Run",
            re.compile(
                r"\b(?:wscript\s*\.\s*shell|wsh|wshell|objshell|oshell|sh|shell)\w{0,40}\s*\.\s*(?:run|exec)\b", re.I
            ),
        ),
        ("ShellExecute", re.compile(r"\bshellexecute(?:ex)?[aw]?\b", re.I)),
        ("CreateProcess", re.compile(r"\b(?:createprocess[aw]?|winexec|ntcreateprocessex?)\b", re.I)),
        (
            "CreateThread",
            re.compile(r"\b(?:createthread|createremotethread|virtualallocex?|rtlmovememory|queueuserapc)\b", re.I),
        ),
        ("ExecuteExcel4Macro", re.compile(r"\bexecuteexcel4macro\b", re.I)),
        ("FollowHyperlink", re.compile(r"\.\s*followhyperlink\b", re.I)),
    ),
    "downloads": (
        ("URLDownloadToFile", re.compile(r"\burldownloadto(?:cache)?file[aw]?\b", re.I)),
        (
            "InternetOpenUrl",
            re.compile(r"\b(?:internetopen(?:url)?[aw]?|internetreadfile|httpsendrequest[aw]?)\b", re.I),
        ),
        (
            "XMLHTTP",
            re.compile(r"\b(?:ms)?xml2?\s*\.\s*(?:server)?xmlhttp\w{0,10}|\bwinhttp\s*\.\s*winhttprequest\b", re.I),
        ),
    ),
}
# What a constant string names, after folding: an object to create, or a command.
_TEXT: dict[str, tuple[tuple[str, re.Pattern[str]], ...]] = {
    "writes": (("ADODB.Stream", re.compile(r"^\s*adodb\.stream", re.I)),),
    "executes": (
        ("WScript.Shell", re.compile(r"^\s*(?:new:)?(?:wscript\.shell|\{?72c24dd5-d70a-438b-8a42-98424b88afb8)", re.I)),
        (
            "Shell.Application",
            re.compile(r"^\s*(?:new:)?(?:shell\.application|\{?13709620-c279-11ce-a49e-444553540000)", re.I),
        ),
        ("Win32_Process", re.compile(r"\bwin32_process(?:startup)?\b", re.I)),
        ("ShellBrowserWindow", re.compile(r"^\s*(?:new:)?\{?(?:c08afd90|9ba05972)-[0-9a-f-]{27}", re.I)),
        ("Schedule.Service", re.compile(r"^\s*schedule\.service", re.I)),
        (
            "command",
            re.compile(
                r"\b(?:cmd(?:\.exe)?\s+/[ck]|powershell(?:\.exe)?\s+-|(?:rundll32|regsvr32|mshta|wscript)(?:\.exe)?\s)",
                re.I,
            ),
        ),
    ),
    "downloads": (
        ("XMLHTTP", re.compile(r"^\s*(?:msxml2|microsoft)\.(?:server)?xmlhttp", re.I)),
        ("WinHttp", re.compile(r"^\s*winhttp\.winhttprequest", re.I)),
        (
            "WebClient",
            re.compile(r"\b(?:downloadfile|downloadstring|downloaddata|invoke-webrequest|start-bitstransfer)\b", re.I),
        ),
        (
            "certutil",
            re.compile(r"\b(?:certutil(?:\.exe)?\s.{0,80}urlcache|bitsadmin(?:\.exe)?\s.{0,80}/transfer)\b", re.I),
        ),
    ),
}
_STARTUP_TEXT = re.compile(
    r"(?:programs|プログラム|start menu|スタート メニュー)[\\/]{1,2}(?:startup|スタートアップ)\b|"
    r"^[\\/]?(?:startup|スタートアップ)[\\/]|"
    r"\bcurrentversion\\{1,2}run(?:once|services)?\b|^shell:(?:common )?startup\b",
    re.IGNORECASE,
)
_STARTUP_NAMES = frozenset({"startup", "allusersstartup"})
_STARTUP_CODE = re.compile(r"\.\s*namespace\s*\(\s*(?:&h)?(?:7|18)&?\s*\)|\bssf(?:common)?startup\b", re.IGNORECASE)
_DECLARED = re.compile(
    r"(?:(?:public|private)\s+)?declare\s+(?:ptrsafe\s+)?", re.IGNORECASE
)  # names an alias in quotes
_BY_NAME = re.compile(r"\bcallbyname\b", re.IGNORECASE)
_STARTING_METHODS = frozenset({"run", "exec", "create", "shellexecute"})
_PAIRS = (  # (name, what comes first, what must follow it on the line)
    ("Open For Output", re.compile(r"\bopen\b", re.I),
     re.compile(r"\bfor\s+(?:output|append|binary|random)\b(?!\s+access\s+read\b(?!\s+write))", re.I)),
    ("OpenTextFile", re.compile(r"\.\s*opentextfile\b", re.I),
     re.compile(r",\s*(?:2|8|for(?:writing|appending))\b", re.I)),
    ("Name As", re.compile(r"^name\s+(?![=.])", re.I), re.compile(r"\bas\b", re.I)),
    ("ResponseBody", re.compile(r"\.\s*write\b", re.I), re.compile(r"\.\s*responsebody\b", re.I)),
)  # fmt: skip


def meaning(source: str) -> Meaning:
    """Read a module's source; a call that is only declared counts, for a declaration serves nothing else."""
    found: dict[str, dict[str, None]] = {"auto_run": {}, "writes": {}, "executes": {}, "downloads": {}}
    excerpt: list[str] = []
    startup = False
    folder = Folder()
    count = 0
    for _, line in logical_lines(source[:MAX_SOURCE]):
        count += 1
        before = sum(map(len, found.values()))
        strings = folder.strings(line)
        code = _DECLARED.sub(" ", line) if _DECLARED.match(line) else _blanked(line)
        _read_procedure(code, found["auto_run"])
        for kind, name in _calls(code, strings):
            if len(found[kind]) < MAX_FOUND:
                found[kind].setdefault(name)
        names_startup = _names_startup(code, strings)
        if sum(map(len, found.values())) > before or (names_startup and not startup):
            excerpt.append(line)
        startup = startup or names_startup
    return Meaning(
        auto_run=tuple(found["auto_run"]), writes=tuple(found["writes"]), executes=tuple(found["executes"]),
        downloads=tuple(found["downloads"]), startup_folder=startup, lines=count,
        excerpt=printable("\n".join(excerpt), keep_newlines=True)[:MAX_EXCERPT],
    )  # fmt: skip


def _read_procedure(code: str, auto_run: dict[str, None]) -> None:
    match = _PROCEDURE.match(code)
    if match and (match.group(1).lower() in _AUTO_NAMES or _AUTO_SUFFIX.search(match.group(1).lower())):
        auto_run.setdefault(match.group(1))


def _calls(code: str, strings: list[str]) -> Iterator[tuple[str, str]]:
    yield from ((kind, name) for kind, names in _CODE.items() for name, pattern in names if pattern.search(code))
    for name, first, then in _PAIRS:
        start = first.search(code)
        if start and then.search(code, start.end()):
            yield "writes", name
    for kind, names in _TEXT.items():
        yield from ((kind, name) for name, pattern in names if any(pattern.search(text) for text in strings))
    if _BY_NAME.search(code):
        yield from (("executes", f"CallByName {text}") for text in strings if text.lower() in _STARTING_METHODS)


def _names_startup(code: str, strings: list[str]) -> bool:
    if any(_STARTUP_TEXT.search(text) for text in strings) or _STARTUP_CODE.search(code):
        return True
    lowered = {text.lower() for text in strings}
    return not lowered.isdisjoint(_STARTUP_NAMES) and ("specialfolders" in code.lower() or "specialfolders" in lowered)


def _blanked(line: str) -> str:
    """Empty the line's strings, so that words in texts are not taken for calls."""
    return re.sub(r"\"(?:[^\"]|\"\")*\"", '""', line)
