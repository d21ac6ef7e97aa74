"""What starts by itself, who may log in, what is installed, how it is set."""

from __future__ import annotations

from hinomi.model.tables.base import Row, column, table


@table("persistence", "One row per place that makes a program run by itself.", subject="path")
class Persistence(Row):
    """One start of one program by boot, login, schedule or event."""

    mechanism: str = column(
        "rc-local, init-script, inittab, systemd-unit, systemd-timer, systemd-generator, cron, anacron, at, profile, shell-rc, "
        "ld-so-preload, udev, pam, authorized-keys, xdg-autostart, kernel-module, initramfs-hook, package-hook, motd, "
        "startup-folder, launch-agent, launch-daemon, login-item, run-key, service, scheduled-task, wmi-consumer, "
        "network-hook."
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

    manager: str = column("dpkg, rpm, apk, opkg, windows or macos.")
    name: str = column("Package name.")
    version: str = column("Version as the manager writes it.")
    architecture: str | None = column("Architecture.", default=None)
    source: str | None = column("Source package.", default=None)
    purl: str = column("Package URL.")
    status: str | None = column("installed, config-files, half-installed, ...", default=None)
    path: str = column("The package database.")


@table("settings", "One row per security-relevant setting read from a configuration file.", subject="name")
class Setting(Row):
    """A setting, such as a login or password policy."""

    path: str = column("File that holds it.")
    line: int | None = column("1-based line.", default=None)
    name: str = column("Name, as service.setting (sshd.PermitRootLogin).")
    value: str = column("Value as written.")
