import base64
import plistlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.autostart import Site, load_mechanisms
from hinomi.evidence.collectors.persistence import COLLECTOR
from hinomi.evidence.sources.memory import MemoryFile, memory_target
from hinomi.model.findings import Coverage
from hinomi.model.tables.host import Persistence
from hinomi.model.tables.scripts import ScriptAction

KEY = base64.b64encode(b"\0\0\0\x0bssh-ed25519" + b"k" * 36).decode()
RUNNABLE = MemoryFile(b"#!/bin/sh\n", mode=0o755)
PASSWD = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/bash\n"


def collect(files: dict, coverage: Coverage | None = None) -> list[Persistence]:
    coverage = coverage or Coverage()
    rows = [r for r in COLLECTOR.collect(memory_target(files), coverage) if isinstance(r, Persistence)]
    assert "crashed" not in {m.reason for m in coverage.misses}, coverage.misses
    return rows


def seen(files: dict, mechanism: str, *columns: str) -> list[tuple]:
    return [tuple(getattr(r, c) for c in columns) for r in collect(files) if r.mechanism == mechanism]


@pytest.mark.parametrize(
    "path",
    [
        "/etc/rc.local",
        "/etc/rc.d/rc.local",
        "/etc/rc.d/rc.whatever",
        "/etc/init.d/rcS",
        "/cf/rc.local",
        "/vendor/boot/rc.start",
        "/etc/rc",
        "/nsconfig/rc.netscaler",
        "/usr/local/etc/rc.local",
        "/flash/nsconfig/rc.netscaler",
        "/etc_ro/rcS",
    ],
)
def test_boot_scripts_in_many_homes(path: str) -> None:
    script = "#!/bin/sh\n[ -x /cf/one ] && /cf/one -d &\nnohup sh /cf/two.sh >/dev/null 2>&1 &\necho done\nexit 0\n"
    found = seen(
        {path: MemoryFile(script.encode(), mode=0o755)}, "rc-local", "path", "line", "program", "trigger", "enabled"
    )
    assert found == [(path, 2, "/cf/one", "boot", True), (path, 3, "/cf/two.sh", "boot", True)]


def test_links_of_a_boot_script_count_once_and_other_files_do_not() -> None:
    files = {
        "/etc/rc.d/rc.local": "#!/bin/sh\n/a\n",
        "/etc/rc.local": MemoryFile(link=b"rc.d/rc.local"),
        "/etc/vim/rc.vim": "set x\n",
        "/opt/app/rc.conf": "a=b\n",
        "/etc/rc.local.bak": "#!/bin/sh\n/b\n",
        "/opt/tool/rc": b"\x7fELF",
    }
    assert seen(files, "rc-local", "program") == [("/a",)]


def test_commands_resolve_by_path_links_and_folders() -> None:
    files = {
        "/etc/rc.local": "#!/bin/sh\nD=/opt/x\n$D/bin/run\nmydaemon\n/lib/gone\n",
        "/opt/x": MemoryFile(link=b"/srv/x"),
        "/srv/x/bin/run": RUNNABLE,
        "/usr/sbin/mydaemon": RUNNABLE,
        "/lib": MemoryFile(link=b"usr/lib"),
        "/usr/lib/keep": "",
    }
    assert seen(files, "rc-local", "program") == [("/srv/x/bin/run",), ("/usr/sbin/mydaemon",), ("/usr/lib/gone",)]


def test_init_scripts_and_run_levels() -> None:
    files = {
        "/etc/init.d/on": "#!/bin/sh\nstart-stop-daemon --start --exec /usr/sbin/d1\nlog_end_msg 0\n",
        "/etc/init.d/off": RUNNABLE,
        "/etc/rc2.d/S01on": MemoryFile(link=b"../init.d/on"),
        "/etc/rc3.d/S99odd": MemoryFile(b"#!/bin/sh\n/odd/d2\n", mode=0o755),
        "/etc/service/web/run": "#!/bin/sh\nexec /srv/web\n",
        "/etc/local.d/z.start": MemoryFile(b"#!/bin/sh\n/z\n", mode=0o755),
    }
    assert seen(files, "init-script", "path", "line", "program", "enabled") == [
        ("/etc/init.d/off", None, "/etc/init.d/off", False),
        ("/etc/init.d/on", None, "/etc/init.d/on", True),
        ("/etc/init.d/on", 2, "/usr/sbin/d1", True),
        ("/etc/rc3.d/S99odd", None, "/etc/rc3.d/S99odd", True),
        ("/etc/rc3.d/S99odd", 2, "/odd/d2", True),
        ("/etc/local.d/z.start", None, "/etc/local.d/z.start", True),
        ("/etc/local.d/z.start", 2, "/z", True),
        ("/etc/service/web/run", None, "/etc/service/web/run", True),
        ("/etc/service/web/run", 2, "/srv/web", True),
    ]


def test_openrc_enables_by_runlevel_folders() -> None:
    files = {
        "/etc/init.d/a": "#!/sbin/openrc-run\ncommand=/usr/sbin/a\n",
        "/etc/runlevels/default/a": MemoryFile(link=b"/etc/init.d/a"),
    }
    assert seen(files, "init-script", "path", "enabled") == [("/etc/init.d/a", True)]


def test_inittab_of_both_kinds_and_the_script_it_runs() -> None:
    files = {
        "/etc/inittab": "# c\n::sysinit:/etc/vendor/start.sh\ntty1::respawn:-/bin/sh\n"
        "1:2345:off:/x\nbad\nca::ctrlaltdel:/sbin/reboot\n",
        "/etc/vendor/start.sh": "#!/bin/sh\n/cf/hidden &\n",
    }
    assert seen(files, "inittab", "line", "program", "schedule", "trigger", "enabled") == [
        (2, "/etc/vendor/start.sh", "sysinit", "boot", True),
        (3, "/bin/sh", "respawn", "boot", True),
        (4, "/x", "off", "boot", False),
        (6, "/sbin/reboot", "ctrlaltdel", "event", True),
    ]
    assert seen(files, "init-script", "path", "program") == [("/etc/vendor/start.sh", "/cf/hidden")]


def test_systemd_units_timers_generators_and_users() -> None:
    files = {
        "/etc/passwd": PASSWD,
        "/usr/lib/systemd/system/a.service": "[Service]\nUser=app\nEnvironment=LD_PRELOAD=/x.so\n"
        "ExecStart=-/opt/a --x\nExecStop=/opt/stop\n",
        "/etc/systemd/system/multi-user.target.wants/a.service": MemoryFile(link=b"/usr/lib/systemd/system/a.service"),
        "/etc/systemd/system/b.timer": "[Timer]\nOnBootSec=5min\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n",
        "/etc/systemd/system/b.service": "[Service]\nExecStart=/bin/sh -c '/tmp/b | cat'\n",
        "/home/ann/.config/systemd/user/c.service": "[Service]\nExecStart=%h/.local/c\n"
        "[Install]\nWantedBy=default.target\n",
        "/usr/lib/systemd/system-generators/g": RUNNABLE,
        "/usr/lib/systemd/system-generators/not": MemoryFile(b"", mode=0o644),
    }
    assert seen(files, "systemd-unit", "name", "program", "user", "trigger", "enabled") == [
        ("a.service", "/opt/a", "app", "boot", True),
        ("a.service", "/opt/stop", "app", "boot", True),
        ("b.service", "/tmp/b", "root", "schedule", None),
        ("c.service", "/home/ann/.local/c", "ann", "login", False),
    ]
    assert seen(files, "systemd-timer", "path", "program", "schedule", "enabled") == [
        ("/etc/systemd/system/b.timer", "/tmp/b", "OnBootSec=5min; OnCalendar=daily", False)
    ]
    assert seen(files, "systemd-generator", "program", "trigger") == [("/usr/lib/systemd/system-generators/g", "boot")]
    assert seen(files, "ld-so-preload", "command", "path") == [("/x.so", "/usr/lib/systemd/system/a.service")]


def test_cron_of_every_layout() -> None:
    files = {
        "/etc/passwd": PASSWD,
        "/etc/crontab": "SHELL=/bin/sh\nPATH=/opt/bin:/bin\n1 2 * * * root tool --x\n",
        "/opt/bin/tool": RUNNABLE,
        "/etc/cron.d/job": "@reboot ann ~/.cache/u\n* * * * * root LD_PRELOAD=/l.so /bin/y\n",
        "/etc/cron.d/job.dpkg-old": "* * * * * root /no\n",
        "/var/spool/cron/crontabs/root": "*/5 * * * * cd /tmp && ./a; /tmp/b\n",
        "/etc/crontabs/ann": "0 0 * * * $HOME/z\n",
        "/etc/cron.daily/d": RUNNABLE,
        "/etc/periodic/hourly/h": MemoryFile(b"", mode=0o644),
    }
    assert seen(files, "cron", "path", "line", "program", "user", "trigger", "schedule", "enabled") == [
        ("/etc/crontab", 3, "/opt/bin/tool", "root", "schedule", "1 2 * * *", True),
        ("/etc/cron.d/job", 1, "/home/ann/.cache/u", "ann", "boot", "@reboot", True),
        ("/etc/cron.d/job", 2, "/bin/y", "root", "schedule", "* * * * *", True),
        ("/var/spool/cron/crontabs/root", 1, "/tmp/b", "root", "schedule", "*/5 * * * *", True),
        ("/etc/crontabs/ann", 1, "/home/ann/z", "ann", "schedule", "0 0 * * *", True),
        ("/etc/periodic/hourly/h", None, "/etc/periodic/hourly/h", "root", "schedule", "@hourly", False),
        ("/etc/cron.daily/d", None, "/etc/cron.daily/d", "root", "schedule", "@daily", True),
    ]
    assert seen(files, "ld-so-preload", "command") == [("/l.so",)]


def test_anacron_and_at() -> None:
    job = (
        "#!/bin/sh\n# atrun uid=1000 gid=1000\numask 22\nHOME=/home/ann; export HOME\ncd /home/ann || {\n"
        "\t echo 'Execution directory inaccessible' >&2\n\t exit 1\n}\n/tmp/later --go\n"
    )
    files = {
        "/etc/passwd": PASSWD,
        "/etc/anacrontab": "START=1\n7 10 weekly nice /w\n",
        "/var/spool/cron/atjobs/a0000101b0d2f0": job,
    }
    assert seen(files, "anacron", "program", "name", "schedule") == [("/w", "weekly", "7 10")]
    assert seen(files, "at", "line", "program", "user", "schedule") == [
        (9, "/tmp/later", "ann", "2023-12-07T07:12:00+00:00")
    ]


def test_profiles_and_shell_files_of_system_and_homes() -> None:
    files = {
        "/etc/passwd": PASSWD,
        "/etc/profile.d/x.sh": "export A=1\n/usr/lib/x/start &\n",
        "/root/.bashrc": "alias l=ls\n(nohup ~/.cache/p >/dev/null 2>&1 &)\n",
        "/home/bob/.zshrc": "export LD_PRELOAD=/home/bob/l.so\n",
        "/home/bob/l.so": b"\x7fELF",
    }
    assert seen(files, "profile", "path", "line", "program", "user") == [
        ("/etc/profile.d/x.sh", 2, "/usr/lib/x/start", None)
    ]
    assert ("/root/.bashrc", 2, "/root/.cache/p", "root") in seen(files, "shell-rc", "path", "line", "program", "user")
    assert ("/home/bob/.zshrc", "/home/bob/l.so", "bob") in seen(files, "ld-so-preload", "path", "program", "user")


def test_preloaded_libraries() -> None:
    files = {
        "/etc/ld.so.preload": "# c\n/cf/libx.so.6 libsnoop.so\n",
        "/usr/lib/x86_64-linux-gnu/libsnoop.so": b"\x7fELF",
        "/etc/environment": 'LD_PRELOAD="/e.so"\n',
        "/etc/ld.so.conf.d/a.conf": "/usr/local/lib\n/tmp/libs\n/open\n",
        "/usr/local/lib/keep": "",
        "/open": MemoryFile(kind="directory", mode=0o777),
    }
    assert seen(files, "ld-so-preload", "path", "line", "command", "program", "trigger") == [
        ("/etc/ld.so.preload", 2, "/cf/libx.so.6", "/cf/libx.so.6", "load"),
        ("/etc/ld.so.preload", 2, "libsnoop.so", "/usr/lib/x86_64-linux-gnu/libsnoop.so", "load"),
        ("/etc/environment", 1, "/e.so", "/e.so", "load"),
        ("/etc/ld.so.conf.d/a.conf", 2, "/tmp/libs", None, "load"),
        ("/etc/ld.so.conf.d/a.conf", 3, "/open", None, "load"),
    ]


def test_udev_runs_programs() -> None:
    rules = (
        '# RUN+="/no"\nACTION=="add", \\\n  RUN+="/bin/sh -c \'/x '
        '$name\'"\nPROGRAM=="probe", RUN{builtin}+="kmod load"\n'
    )
    files = {
        "/etc/udev/rules.d/9.rules": rules,
        "/usr/lib/udev/rules.d/9.rules": 'RUN+="/hidden"\n',
        "/usr/lib/udev/probe": RUNNABLE,
    }
    assert seen(files, "udev", "line", "program", "name") == [(2, "/x", "RUN"), (4, "/usr/lib/udev/probe", "PROGRAM")]


def test_pam_programs_and_foreign_modules() -> None:
    files = {
        "/etc/pam.d/sshd": "auth optional pam_exec.so quiet expose_authtok /usr/bin/log.sh\n"
        "auth [success=1 default=ignore] /tmp/pam_x.so a\n"
        "auth required pam_unix.so\n@include common\nauth include other\n",
        "/tmp/pam_x.so": b"\x7fELF",
        "/usr/lib/x86_64-linux-gnu/security/pam_unix.so": b"\x7fELF",
    }
    assert seen(files, "pam", "line", "name", "program") == [
        (1, "pam_exec.so", "/usr/bin/log.sh"),
        (2, "pam_x.so", "/tmp/pam_x.so"),
    ]


def test_authorized_keys() -> None:
    files = {
        "/etc/passwd": PASSWD,
        "/etc/ssh/sshd_config": "AuthorizedKeysFile .ssh/authorized_keys /etc/keys/%u\n",
        "/root/.ssh/authorized_keys": f'# c\ncommand="/opt/run x" ssh-ed25519 {KEY} a@b\n',
        "/etc/keys/ann": f"ssh-ed25519 {KEY} ann@laptop\n",
    }
    rows = seen(files, "authorized-key", "path", "line", "user", "program", "command")
    fingerprint = rows[-1][4].split()[1]
    assert fingerprint.startswith("SHA256:")
    assert rows == [
        ("/root/.ssh/authorized_keys", 2, "root", "/opt/run", "/opt/run x"),
        ("/etc/keys/ann", 1, "ann", None, f"ssh-ed25519 {fingerprint} ann@laptop"),
    ]


def test_desktop_modules_hooks_and_messages() -> None:
    files = {
        "/etc/passwd": PASSWD,
        "/home/ann/.config/autostart/x.desktop": "[Desktop Entry]\nName=X\nExec=sh -c "
        "'/home/ann/x %u'\n[Desktop Action a]\nExec=/no\n",
        "/etc/xdg/autostart/off.desktop": "[Desktop Entry]\nExec=/off\nHidden=true\n",
        "/etc/modules-load.d/r.conf": "root-kit\n",
        "/lib/modules/6.1/modules.dep": "kernel/net/root_kit.ko.xz: a.ko\n",
        "/lib/modules/6.1/kernel/net/root_kit.ko.xz": b"",
        "/etc/modprobe.d/x.conf": "install usb /bin/sh -c '/x; /sbin/modprobe usb'\nblacklist y\n",
        "/etc/initramfs-tools/scripts/init-top/z": RUNNABLE,
        "/etc/kernel/postinst.d/k": RUNNABLE,
        "/etc/apt/apt.conf.d/99": 'DPkg::Post-Invoke {"/opt/after";};\nAPT::Install-Recommends "0";\n',
        "/etc/dnf/plugins/post-transaction-actions.d/a.action": "*:any:/opt/dnf\n",
        "/etc/update-motd.d/10": RUNNABLE,
        "/etc/NetworkManager/dispatcher.d/n": RUNNABLE,
        "/etc/network/interfaces": "iface eth0 inet dhcp\n  post-up /opt/up\n",
    }
    assert seen(files, "xdg-autostart", "path", "program", "enabled", "user") == [
        ("/etc/xdg/autostart/off.desktop", "/off", False, None),
        ("/home/ann/.config/autostart/x.desktop", "/home/ann/x", True, "ann"),
    ]
    assert seen(files, "kernel-module", "name", "program", "trigger") == [
        ("root-kit", "/lib/modules/6.1/kernel/net/root_kit.ko.xz", "boot"),
        ("install usb", "/x", "load"),
        ("install usb", "/sbin/modprobe", "load"),
    ]
    assert seen(files, "initramfs-hook", "program", "trigger") == [
        ("/etc/initramfs-tools/scripts/init-top/z", "boot"),
        ("/etc/kernel/postinst.d/k", "install"),
    ]
    assert seen(files, "package-hook", "program", "line") == [("/opt/after", 1), ("/opt/dnf", 1)]
    assert seen(files, "motd", "program", "enabled") == [("/etc/update-motd.d/10", True)]
    assert seen(files, "network-hook", "program") == [("/etc/NetworkManager/dispatcher.d/n",), ("/opt/up",)]


@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_launch_agents_and_daemons(form) -> None:
    agent = {"Label": "com.x", "ProgramArguments": ["/Library/X Services/upd", "-q"], "RunAtLoad": True}
    timed = {"Program": "/opt/t", "StartCalendarInterval": [{"Hour": 3, "Minute": [[1]]}, 5]}
    daemon = {"Label": "d", "Program": "/opt/d", "StartInterval": 60, "UserName": "_d", "Disabled": True}
    files = {
        "/Users/jo/Library/LaunchAgents/com.x.plist": plistlib.dumps(agent, fmt=form),
        "/Library/LaunchDaemons/d.plist": plistlib.dumps(daemon, fmt=form),
        "/Library/LaunchDaemons/t.plist": plistlib.dumps(timed, fmt=form),
        "/Library/LaunchDaemons/broken.plist": b"<plist><dict>",
    }
    coverage = Coverage()
    collect(files, coverage)
    assert [(m.subject, m.reason) for m in coverage.misses] == [("/Library/LaunchDaemons/broken.plist", "unparsable")]
    assert seen(files, "launch-agent", "program", "user", "trigger", "name") == [
        ("/Library/X Services/upd", "jo", "login", "com.x")
    ]
    assert seen(files, "launch-daemon", "program", "user", "schedule", "enabled") == [
        ("/opt/d", "_d", "every 60 s", False),
        ("/opt/t", "root", "Hour=3", True),
    ]


TASK = """<?xml version="1.0" encoding="UTF-16"?>
<Task xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task"><Triggers><LogonTrigger/></Triggers>
<Principals><Principal><UserId>S-1-5-18</UserId></Principal></Principals><Settings><Enabled>true</Enabled></Settings>
<Actions><Exec><Command>%ProgramData%\\Upd\\u.exe</Command><Arguments>-s</Arguments></Exec></Actions></Task>"""


def test_startup_folders_and_tasks_whatever_the_case() -> None:
    start = "AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Startup"
    files = {
        f"/Users/Taro/{start}/igfx.exe": b"MZ",
        f"/Users/Taro/{start}/desktop.ini": b"",
        "/ProgramData/Microsoft/WINDOWS/Start Menu/programs/StartUp/all.bat": b"echo",
        "/Windows/System32/Tasks/Vendor/Update": TASK.encode("utf-16"),
        "/ProgramData/upd/U.EXE": b"MZ",
        "/Windows/System32/Tasks/bad": b"<Task",
    }
    coverage = Coverage()
    collect(files, coverage)
    assert [m.subject for m in coverage.misses] == ["/Windows/System32/Tasks/bad"]
    assert seen(files, "startup-folder", "program", "user") == [
        ("/ProgramData/Microsoft/WINDOWS/Start Menu/programs/StartUp/all.bat", None),
        (f"/Users/Taro/{start}/igfx.exe", "Taro"),
    ]
    assert seen(files, "scheduled-task", "name", "program", "trigger", "user", "schedule") == [
        ("Vendor/Update", "/ProgramData/upd/U.EXE", "login", "S-1-5-18", "LogonTrigger")
    ]


def test_run_keys_and_services_of_hives(registry) -> None:
    version = {"CurrentVersion": {"Run": {"Upd": '"C:\\ProgramData\\u.exe" -q', "n": 3}}}
    software = {
        "Microsoft": {
            "Windows": version,
            "Windows NT": {"CurrentVersion": {"Winlogon": {"Shell": "explorer.exe, C:\\x.exe"}}},
        }
    }
    services = {"svc": {"ImagePath": "\\SystemRoot\\system32\\svc.exe -k", "Start": 2, "ObjectName": "LocalSystem"}}
    files = {
        "/Windows/System32/config/SOFTWARE": registry.hive(software),
        "/Windows/System32/config/SYSTEM": registry.hive(
            {"Select": {"Current": 1}, "ControlSet001": {"Services": services}}
        ),
        "/Users/Taro/NTUSER.DAT": registry.hive(
            {"Software": {"Microsoft": {"Windows": {"CurrentVersion": {"RunOnce": {"o": "%APPDATA%\\o.exe"}}}}}},
            dirty=True,
        ),
        "/Windows/explorer.exe": b"MZ",
        "/Windows/System32/config/SAM": b"regf",
    }
    coverage = Coverage()
    collect(files, coverage)
    assert [(m.subject, m.reason) for m in coverage.misses] == [("/Users/Taro/NTUSER.DAT", "log-not-replayed")]
    assert seen(files, "run-key", "program", "user") == [
        ("/ProgramData/u.exe", None),
        ("/Windows/explorer.exe", None),
        ("/x.exe", None),
        ("/Users/Taro/AppData/Roaming/o.exe", "Taro"),
    ]
    assert seen(files, "service", "name", "program", "user", "trigger", "enabled") == [
        ("svc", "/Windows/system32/svc.exe", "LocalSystem", "boot", True)
    ]


def test_places_that_are_not_read_are_said() -> None:
    coverage = Coverage()
    assert collect({"/windows/system32/wbem/repository/objects.data": b"x"}, coverage) == []
    assert [(m.subject, m.reason) for m in coverage.misses] == [
        ("/windows/system32/wbem/repository/objects.data", "unsupported")
    ]


def test_a_mechanism_that_fails_costs_only_itself(monkeypatch) -> None:
    def broken(site: Site):
        yield Persistence(mechanism="cron", path="/a", command="b")
        raise RuntimeError("boom")

    monkeypatch.setattr(
        "hinomi.evidence.collectors.persistence.load_mechanisms", lambda: (("one", broken), *load_mechanisms())
    )
    coverage = Coverage()
    rows = list(COLLECTOR.collect(memory_target({"/etc/rc.local": "#!/bin/sh\n/x\n"}), coverage))
    assert [r.command for r in rows] == ["b", "/x"]
    assert [(m.subject, m.reason) for m in coverage.misses] == [("one", "crashed")]


def test_strange_names_and_bytes_are_kept() -> None:
    files = {"/etc/cron.d/a": b"* * * * * root /tmp/\xff\x1b[31m\n", "/etc/init.d/\udcff\n": RUNNABLE}
    assert seen(files, "cron", "program") == [("/tmp/\udcff\x1b[31m",)]
    assert seen(files, "init-script", "path") == [("/etc/init.d/\udcff\n",)]


PLACES = [
    "/etc/rc.local",
    "/etc/crontab",
    "/etc/inittab",
    "/etc/ld.so.preload",
    "/etc/systemd/system/a.service",
    "/etc/anacrontab",
    "/etc/udev/rules.d/a.rules",
    "/etc/pam.d/x",
    "/root/.ssh/authorized_keys",
    "/etc/apt/apt.conf",
    "/etc/modprobe.d/a.conf",
    "/Library/LaunchDaemons/a.plist",
    "/Windows/System32/Tasks/a",
    "/Windows/System32/config/SYSTEM",
    "/etc/environment",
    "/var/spool/cron/atjobs/a0000101b0d2f0",
    "/Users/a/NTUSER.DAT",
    "/root/.bashrc",
    "/etc/xdg/autostart/a.desktop",
]


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300), st.text("#!/bin sh\n[]=:*;\"'\\ rootExecStart{}<>", max_size=300).map(str.encode)
    )
)
def test_any_content_is_rows_or_a_miss(data: bytes) -> None:
    collect(dict.fromkeys(PLACES, data))


SPOKEN = {
    ("/etc/systemd/system/x.service", "[Service]\nExecStart=/bin/bash -c 'exec 5<>/dev/tcp/198.51.100.9/443; cat <&5'\n"): (
        "/etc/systemd/system/x.service » systemd-unit:2", "connects", "198.51.100.9:443",
    ),
    ("/etc/cron.d/x", "# jobs\n* * * * * root pidof agentd || /opt/agentd &\n"): (
        "/etc/cron.d/x » cron:2", "starts", "/opt/agentd",
    ),
    ("/etc/cron.d/y", "*/5 * * * * root python3 -c 'import socket; socket.create_connection((\"198.51.100.7\", 443))'\n"): (
        "/etc/cron.d/y » cron:1", "connects", "198.51.100.7:443",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOKEN)
def test_a_command_that_is_a_script_is_read_as_one(case):
    path, text = case
    files = {path: MemoryFile(text.encode()), "/etc/passwd": MemoryFile(PASSWD.encode())}
    rows = list(COLLECTOR.collect(memory_target(files), Coverage()))
    assert SPOKEN[case] in [(r.path, r.action, r.object) for r in rows if isinstance(r, ScriptAction)]


def test_a_command_that_only_starts_a_program_is_no_script():
    files = {"/etc/cron.d/x": MemoryFile(b"* * * * * root /opt/agentd --quiet\n")}
    assert not [r for r in COLLECTOR.collect(memory_target(files), Coverage()) if isinstance(r, ScriptAction)]
