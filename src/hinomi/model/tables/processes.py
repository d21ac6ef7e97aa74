"""What runs on a live host: processes, their sockets and memory, what hides, the kernel's modules and interfaces."""

from __future__ import annotations

from hinomi.model.tables.base import Row, column, table


@table(
    "processes", "One row per process of a live host, and per program that it runs while it is watched.", subject="pid"
)
class Process(Row):
    """A process as /proc shows it at one moment; pid and `started` together name it for good."""

    pid: int = column("Process id.")
    ppid: int = column("Parent's process id.")
    name: str = column("comm (at most 15 bytes).")
    exe: str | None = column(
        "Path of the program, without ' (deleted)'; null for kernel threads or where unreadable.",
        default=None,
    )
    exe_deleted: bool = column("The program's file is gone.", default=False)
    exe_memfd: bool = column("The program lives in anonymous memory (memfd).", default=False)
    cmdline: list[str] = column("Arguments.", default_factory=list)
    script: str | None = column("Path of the script that it runs, where the program is an interpreter.", default=None)
    script_package_state: str | None = column("State of that script's file: intact, modified, unowned.", default=None)
    cwd: str | None = column("Working folder.", default=None)
    root: str | None = column("Root folder as this process sees it.", default=None)
    uid: int = column("Real user number.")
    euid: int = column("Effective user number.")
    user: str | None = column("Account name.", default=None)
    login_uid: int | None = column("User who logged in (audit), null where unset.", default=None)
    started: float = column("Start, seconds since 1970 UTC.")
    ended: float | None = column(
        "End, seconds since 1970 UTC; null while it runs, or where nobody watched.", default=None
    )
    session: int = column("Session id: the process that began its session.", default=0)
    tty: str | None = column("Controlling terminal.", default=None)
    stdin: str | None = column("What descriptor 0 points at.", default=None)
    stdout: str | None = column("What descriptor 1 points at.", default=None)
    stderr: str | None = column("What descriptor 2 points at.", default=None)
    kernel_thread: bool = column("Has PF_KTHREAD.", default=False)
    tracer_pid: int = column("Process that traces it, 0 for none.", default=0)
    terminals: list[str] = column(
        "Pseudo-terminals whose other end it holds (pts/3): it shows what runs there.", default_factory=list
    )
    preload: str | None = column("LD_PRELOAD of its environment.", default=None)
    libraries: list[str] = column("Files mapped executable, beside the program itself.", default_factory=list)
    deleted_libraries: list[str] = column("Mapped executable files that are gone.", default_factory=list)
    executable_anonymous: int = column("Writable and executable anonymous regions.", default=0)
    container: str | None = column("Container id from its cgroup.", default=None)
    exe_package_state: str | None = column("State of the program's file: intact, modified, unowned.", default=None)


@table("sockets", "One row per socket of a live host.", subject="pid")
class Socket(Row):
    """A TCP, UDP, raw or packet socket joined to its process."""

    pid: int | None = column("Process that holds it; null where no process could be found.", default=None)
    process: str | None = column("That process's name.", default=None)
    protocol: str = column("tcp, tcp6, udp, udp6, raw, raw6 or packet.")
    local_address: str | None = column("Local address.", default=None)
    local_port: int | None = column("Local port.", default=None)
    remote_address: str | None = column("Remote address.", default=None)
    remote_port: int | None = column("Remote port.", default=None)
    state: str | None = column("listen, established, ...", default=None)
    uid: int | None = column("Owner's number.", default=None)
    inode: int = column("Socket inode.")
    namespace: str | None = column("Network namespace (net:[4026531840]).", default=None)


@table(
    "memory_regions",
    "One row per region of a process's memory that holds code of unsure origin, or a pattern.",
    subject="pid",
)
class MemoryRegion(Row):
    """Executable memory that is no file of an intact package, and every region in which a memory scan found a pattern."""

    pid: int = column("Process id.")
    process: str = column("The process's name.")
    address: str = column("First address, in hexadecimal digits.")
    size: int = column("Bytes of address space.")
    permissions: str = column("As the kernel writes them: rwxp; s for shared.")
    kind: str = column(
        "anonymous, heap, stack, shared (anonymous, shared), memfd, deleted, file, or special (of the kernel)."
    )
    path: str | None = column("The file behind it, or the kernel's name for it ([heap]); null for none.", default=None)
    file_offset: int = column("Where in the file the region begins.", default=0)
    package_state: str | None = column(
        "State of the file behind it: intact, modified, unowned; null without one.", default=None
    )
    resident: int | None = column("Bytes in memory or swap; null where it was not asked.", default=None)
    private_dirty: int | None = column(
        "Bytes that differ from the file behind it or were written; null where unknown.", default=None
    )
    elf: bool = column("It begins with the header of an ELF program.", default=False)


@table("memory_matches", "One row per pattern that a YARA rule found in a process's memory.", subject="pid")
class MemoryMatch(Row):
    """A pattern in memory: where, and what lies behind that memory."""

    pid: int = column("Process id.")
    process: str = column("The process's name.")
    rule: str = column("Rule id.")
    pattern: str = column("The pattern's identifier; empty where the rule has none.")
    address: str = column("Address of the match, in hexadecimal digits.")
    region: str = column("First address of its region (`memory_regions.address`).")
    offset: int = column("Bytes from the region's beginning.")
    length: int = column("Bytes that matched.")
    permissions: str = column("The region's permissions.")
    path: str | None = column("The file behind the region, or the kernel's name for it.", default=None)
    excerpt: str = column("The bytes that matched, printable.")


@table("hidden_processes", "One row per process that some ways of asking show and others hide.", subject="pid")
class HiddenProcess(Row):
    """A process that was alive before and after a listing in which it is not, or whose folder is covered."""

    pid: int = column("Process id.")
    hidden_from: list[str] = column(
        "listing (/proc by the kernel's call), library (the C library's reading of it), folder (/proc/PID), mount (covered by a mount).",
        default_factory=list,
    )
    seen_by: list[str] = column(
        "Ways that show it: signal, session, scheduler, pidfd, stat, cgroup, mountinfo.", default_factory=list
    )
    name: str | None = column("comm, where it can be read.", default=None)
    exe: str | None = column("Its program, where it can be read.", default=None)
    started: float | None = column("Start, seconds since 1970 UTC, where it can be read.", default=None)
    covered_by: str | None = column("What is mounted over its folder.", default=None)


@table("kernel_modules", "One row per loadable module that the running kernel shows anywhere.", subject="name")
class KernelModule(Row):
    """A module, and which of the kernel's own lists name it."""

    name: str = column("Module name.")
    views: list[str] = column(
        "Lists that name it: modules (/proc/modules), sysfs (/sys/module), symbols (/proc/kallsyms), tracing (functions that can be traced).",
        default_factory=list,
    )
    hidden_from: list[str] = column("Lists that are readable and should name it, but do not.", default_factory=list)
    size: int | None = column("Bytes.", default=None)
    users: list[str] = column("Modules that use it.", default_factory=list)
    state: str | None = column("live, loading or unloading.", default=None)
    taint: str = column("Letters of its taint: O built elsewhere, E unsigned, P proprietary, F forced.", default="")
    path: str | None = column(
        "Its file below /lib/modules of the running kernel; null where there is none.", default=None
    )
    package_state: str | None = column("State of that file: intact, modified, unowned.", default=None)
    hooks: list[str] = column("Kernel functions that it redirects (ftrace).", default_factory=list)


@table("interfaces", "One row per network interface of every network namespace.", subject="name")
class Interface(Row):
    """A network interface and whether it takes packets that are not addressed to it."""

    name: str = column("Interface name.")
    index: int = column("Number within its namespace.")
    namespace: str = column("Network namespace (net:[4026531840]).")
    kind: str | None = column("veth, bridge, bond, wireguard, ...; null for hardware and the loopback.", default=None)
    address: str | None = column("Link address.", default=None)
    up: bool = column("Is up.", default=False)
    promiscuous: bool = column("Takes packets for others.", default=False)
    promiscuity: int = column("How many users asked for that.", default=0)
    master: str | None = column("Bridge or bond that it is a port of.", default=None)
    master_kind: str | None = column("Kind of that master.", default=None)
    listeners: list[str] = column(
        "pids of processes with a packet socket on it or on all interfaces.", default_factory=list
    )


@table("deviations", "One row per trait of a process that the host's learned profile lacks.", subject="pid")
class Deviation(Row):
    """A program that never ran here, or a known one with a parent, user, argument, port or peer that it never had."""

    pid: int = column("Process id.")
    process: str = column("The process's name.")
    program: str = column("Its script, or else its program.")
    kind: str = column("program (never seen), parent, user, arguments, listens or connects.")
    value: str = column("What is new: a path, a user, a shape of arguments, `tcp 443 any`, `tcp 203.0.113.0/24 443`.")
    usual: list[str] = column("What the profile knows instead, the most frequent first.", default_factory=list)
    looks: int = column("Looks that the profile was learned from.")
    seen: int = column("Looks in which the program was seen.")
    surprise: int = column("0-100: how unlikely something new of this kind is, by what was seen only once.")
    by_login: bool = column("Somebody is logged in behind the process, or it has a terminal.", default=False)
