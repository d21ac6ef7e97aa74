"""What the target runs, who may log in, what is installed."""

from __future__ import annotations

from hinomi.model.tables.base import Row, column, table


@table("persistence", "One row per place that makes a program run by itself.", subject="path")
class Persistence(Row):
    """One start of one program by boot, login, schedule or event."""

    mechanism: str = column(
        "rc-local, init-script, inittab, systemd-unit, systemd-timer, systemd-generator, cron, anacron, at, profile, shell-rc, "
        "ld-so-preload, udev, pam, authorized-keys, xdg-autostart, kernel-module, initramfs-hook, package-hook, motd, "
        "startup-folder, launch-agent, launch-daemon, run-key, service, scheduled-task, network-hook."
    )
    path: str = column("The file that holds it.")
    line: int | None = column("1-based line in that file.", default=None)
    name: str | None = column("Name of the unit, job, key or value.", default=None)
    command: str = column("The command or program as written (for keys and libraries: what is loaded).")
    program: str | None = column(
        "Absolute path of the program started, links and PATH resolved inside the target.", default=None
    )
    user: str | None = column("Account it runs as.", default=None)
    trigger: str = column("boot, login, schedule, event, load or install.", default="boot")
    schedule: str | None = column("Cron, timer or calendar expression.", default=None)
    enabled: bool | None = column("Whether it is switched on; null where that cannot be told.", default=None)


@table("accounts", "One row per account of the target.", subject="name")
class Account(Row):
    """An account with what its password entry says (never the hash itself)."""

    name: str = column("Login name.")
    uid: int | None = column("User number.", default=None)
    gid: int | None = column("Primary group number.", default=None)
    home: str | None = column("Home folder.", default=None)
    shell: str | None = column("Login shell.", default=None)
    comment: str | None = column("GECOS field.", default=None)
    path: str = column("File that defines it.")
    line: int | None = column("1-based line in that file.", default=None)
    position: int | None = column("0-based position among the file's accounts.", default=None)
    password_state: str | None = column(
        "empty, locked, hashed, in-passwd (hash in the world-readable file), missing (no shadow row), unreadable.",
        default=None,
    )
    hash_method: str | None = column("yescrypt, sha512, sha256, bcrypt, md5, des, ...", default=None)
    password_changed: str | None = column("Day of the last password change, YYYY-MM-DD.", default=None)
    groups: list[str] = column("Groups it belongs to.", default_factory=list)
    sudo: list[str] = column("sudoers rules that name it or its groups.", default_factory=list)
    login: bool = column("Shell permits login.", default=False)


@table("packages", "One row per installed package.", subject="name")
class Package(Row):
    """A package of dpkg, rpm, apk or opkg."""

    manager: str = column("dpkg, rpm, apk or opkg.")
    name: str = column("Package name.")
    version: str = column("Version as the manager writes it.")
    architecture: str | None = column("Architecture.", default=None)
    source: str | None = column("Source package.", default=None)
    purl: str = column("Package URL.")
    status: str | None = column("installed, config-files, half-installed, ...", default=None)
    path: str = column("The package database.")


@table("processes", "One row per process of a live host.", subject="pid")
class Process(Row):
    """A process as /proc shows it at one moment."""

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
    cwd: str | None = column("Working folder.", default=None)
    root: str | None = column("Root folder as this process sees it.", default=None)
    uid: int = column("Real user number.")
    euid: int = column("Effective user number.")
    user: str | None = column("Account name.", default=None)
    login_uid: int | None = column("User who logged in (audit), null where unset.", default=None)
    started: float = column("Start, seconds since 1970 UTC.")
    tty: str | None = column("Controlling terminal.", default=None)
    stdin: str | None = column("What descriptor 0 points at.", default=None)
    stdout: str | None = column("What descriptor 1 points at.", default=None)
    stderr: str | None = column("What descriptor 2 points at.", default=None)
    kernel_thread: bool = column("Has PF_KTHREAD.", default=False)
    tracer_pid: int = column("Process that traces it, 0 for none.", default=0)
    preload: str | None = column("LD_PRELOAD of its environment.", default=None)
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


@table("settings", "One row per security-relevant setting read from a configuration file.", subject="name")
class Setting(Row):
    """A setting, such as a login or password policy."""

    path: str = column("File that holds it.")
    line: int | None = column("1-based line.", default=None)
    name: str = column("Name, as service.setting (sshd.PermitRootLogin).")
    value: str = column("Value as written.")
