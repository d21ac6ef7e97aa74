"""What scripts are and what they do, from their syntax trees."""

from __future__ import annotations

from hinomi.model.tables.base import Row, column, table


@table(
    "scripts",
    "One row per script (nine languages, also package.json install scripts).",
    subject="path",
)
class Script(Row):
    """A script as a whole."""

    path: str = column("Absolute path inside the target; `file » name` for a script held inside another file.")
    sha256: str | None = column("SHA-256 of the content.", default=None)
    language: str = column("shell, powershell, javascript, python, perl, php, ruby, lua or batch.")
    interpreter: str | None = column("Interpreter of the #! line.", default=None)
    lines: int = column("Number of lines.")
    parse_errors: int = column("Syntax-tree nodes that could not be parsed.", default=0)
    truncated: bool = column("Only the first part was parsed (size or depth bound).", default=False)
    commands: list[str] = column("Distinct command names, sorted, at most 500.", default_factory=list)
    mentions: list[str] = column("Distinct base names of files it names, sorted, at most 500.", default_factory=list)
    shingles: list[int] = column(
        "64-value MinHash of its token triples (names and constants blanked): near twins share most.",
        default_factory=list,
    )


@table(
    "script_actions",
    "One row per thing a script does, from its syntax tree; variables resolved as far as constants go.",
    subject="path",
)
class ScriptAction(Row):
    """One action of a script.

    Meaning of `object` and `detail` by action:

    | action | object | detail |
    |---|---|---|
    | starts | program path or name | arguments |
    | kills | process name or pid expression | signal |
    | checks-running | process name looked for | the tool (pgrep, pidof, ps|grep, kill -0, /proc) |
    | checks-exists | path tested | the test (-f, -e, -s, ls, ...) |
    | sleeps | seconds as text | |
    | reads | path | |
    | writes | path written or appended | the text written, where constant |
    | copies / moves | destination | source |
    | deletes | path | |
    | changes-mode | path | mode |
    | changes-time | path | reference or time (touch -r/-t/-d) |
    | mounts / unmounts | mount point | device or image |
    | unpacks | archive | tool and destination |
    | repacks | archive made | tool and source |
    | adds-account | account name | uid, or the line written; root of the system written to |
    | changes-password | account name | |
    | patches-binary | file patched in place | from => to, where constant |
    | queries-database | database file or server | the SQL text |
    | connects | host:port or device (/dev/tcp/...) | tool |
    | downloads | URL | destination |
    | uploads | URL | source |
    | decodes | input | encoding (base64, hex, gzip-string, xor) |
    | executes-code | origin: download, connection (both ways), decoded, request (of a web client), variable, argument, file | the construct (eval, bash -c, IEX, | sh) |
    | persists | where (crontab, Run key, unit, startup file) | command |
    | schedules | time expression | command |
    | loads-library | library path | mechanism (LD_PRELOAD, ld.so.preload) |
    | loads-module | kernel module | |
    | stops-service | service or process | tool |
    | clears-log | path | |
    | hides-history | variable or file | |
    | collects | what (host-name, users, interfaces, processes, disk-serial, screen, credentials) | tool |
    | reboots | the tool | image |
    | sources | file whose commands run in the same shell (`. file`) | |
    | links | path of the link | what it points at |
    | changes-account | account name | what is changed |

    `guard` is the innermost condition of the most telling kind (process, then time, exists, argument, other):
    a watchdog that also tests whether the program is there stays a watchdog. `guards` holds all of them.
    `guard_kind` is `time` where the clock is asked (a date or hour compared before a connection or a start).
    `starts` of a bare name keeps the name; a path is made absolute where the folder is known. `persists` comes with
    the `writes`, `copies` or `links` that does it. `adds-account`: detail is `uid N; root` or `line; root`, where root is `/` or the
    folder of the mounted system. `connects`, `downloads`: also for own programs given host and port.
    """

    path: str = column("The script.")
    line: int = column("1-based line.")
    order: int = column("0-based order of the action in the script.")
    action: str = column("What it does; see the class table.")
    object: str | None = column("What it does it to, constants resolved; null where unknown.", default=None)
    detail: str | None = column("Second object; see the class table.", default=None)
    command: str = column("The command as resolved, at most 500 characters.")
    guard: str | None = column("The innermost condition it runs under, as text.", default=None)
    guard_kind: str | None = column(
        "not-running, running, exists, missing, argument, time, other; null without a guard.", default=None
    )
    guard_object: str | None = column("What the guard asks about (process name, path).", default=None)
    guards: list[str] = column(
        "All conditions it runs under, outermost first, as `kind object`, at most 8.", default_factory=list
    )
    in_loop: bool = column(
        "Runs inside an endless or timed loop (while true, until false, for ((;;)), a while that sleeps, exec of itself).",
        default=False,
    )
    loop_interval: float | None = column("Seconds slept in one turn of that loop, where constant.", default=None)
    background: bool = column("Started with & or nohup, setsid, start-stop-daemon -b, disown.", default=False)
    function: str | None = column("The function it stands in.", default=None)
    resolved: bool = column("Every word of the command is constant.", default=True)
