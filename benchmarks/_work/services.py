"""Servers with work to do, each with a configuration, a folder and a port of its own on loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from benchmarks._work.job import HOME, QUIET, USER, Job, as_user, owned, run, where, write

DATABASE = Path("/var/lib/postgresql/replay")
SITE = Path("/srv/www")
KEY = HOME / ".ssh/id_ed25519"
_ROTATION = """compress
/var/log/nginx/replay-*.log {
    rotate 4
    su root adm
    create 0640 www-data adm
    postrotate
        kill -USR1 $(cat /run/nginx-replay.pid)
    endscript
}
/var/log/replay-cron.log {
    rotate 3
    missingok
    copytruncate
}
/var/log/dpkg.log /var/log/apt/*.log /var/log/alternatives.log {
    rotate 3
    missingok
    delaycompress
    create
}
"""


class Services:
    """Servers started here; all are ended by `stop`."""

    def __init__(self) -> None:
        self._started: dict[str, subprocess.Popen[bytes]] = {}
        self._ports: dict[str, int] = {}

    def jobs(self) -> list[Job]:
        """Start what is installed; return the work with it."""
        made = [
            Job("postgresql: queries", 20, self._queries, ("psql",)),
            Job("postgresql: dump and vacuum", 300, self._maintain, ("psql",)),
            Job("postgresql: restart", 900, self._restart_database, ("psql",)),
            Job("nginx: requests", 10, self._requests, ("nginx",)),
            Job("nginx: new site, reload", 240, self._deploy, ("nginx",)),
            Job("logrotate", 300, self._rotate, ("logrotate", "nginx")),
            Job("ssh: command", 45, self._ssh_command, ("sshd", "ssh")),
            Job("ssh: session with a terminal", 150, self._ssh_session, ("sshd", "ssh")),
            Job("ssh: files", 200, self._ssh_files, ("sshd", "sftp")),
            Job("cron: new jobs", 600, _cron_jobs, ("cron",)),
        ]
        starters: dict[str, Callable[[], None]] = {
            "psql": self._start_database, "nginx": self._start_web, "sshd": self._start_ssh, "cron": self._start_cron,
        }  # fmt: skip
        for program, start in starters.items():
            if where(program):
                start()
        return made

    def stop(self) -> None:
        """End all, the last started first."""
        for process in reversed(self._started.values()):
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, name: str, words: list[str | Path]) -> None:
        self._started[name] = subprocess.Popen([str(w) for w in words], start_new_session=True, **QUIET)  # type: ignore[call-overload]

    # --- PostgreSQL -----------------------------------------------------------------------------------------------

    def _start_database(self) -> None:
        if not DATABASE.exists():
            DATABASE.mkdir(parents=True)
            owned([DATABASE, Path("/var/lib/postgresql")], "postgres")
            as_user([_postgres("initdb"), "-D", DATABASE, "-A", "trust", "--locale=C", "-E", "UTF8"], "postgres")
        self._ports["database"] = free_port()
        self._start("database", ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups",
                    _postgres("postgres"), "-D", DATABASE, "-p", str(self._ports["database"]), "-k", "/tmp",
                    "-c", "listen_addresses=127.0.0.1"])  # fmt: skip
        until(lambda: self._sql("SELECT 1"), "the database answers")
        self._sql("CREATE TABLE IF NOT EXISTS orders (n serial, item text, at timestamptz DEFAULT now())")

    def _sql(self, statement: str) -> bool:
        port = str(self._ports["database"])
        words = ["psql", "-qX", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-c", statement]
        return subprocess.run(words, check=False, **QUIET).returncode == 0  # type: ignore[call-overload]

    def _queries(self) -> None:
        assert self._sql("INSERT INTO orders (item) SELECT md5(i::text) FROM generate_series(1, 300) i")
        assert self._sql("UPDATE orders SET item = upper(item) WHERE n % 7 = 0; SELECT count(*) FROM orders")
        bench = _postgres("pgbench")
        if bench.exists():
            server = ["-h", "127.0.0.1", "-p", str(self._ports["database"]), "-U", "postgres", "postgres"]
            run([bench, "-i", "-q", "-s", "1", *server]) if not self._sql("SELECT 1 FROM pgbench_accounts") else None
            run([bench, "-t", "50", "-n", *server])

    def _maintain(self) -> None:
        dump = Path("/var/backups/orders.sql")
        port = str(self._ports["database"])
        run(["pg_dump", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-f", dump, "postgres"])
        run(["gzip", "-f", dump])
        assert self._sql("DELETE FROM orders WHERE n % 2 = 0") and self._sql("VACUUM FULL orders")

    def _restart_database(self) -> None:
        process = self._started.pop("database")
        process.send_signal(signal.SIGINT)
        process.wait(30)
        self._start_database()

    # --- web server -----------------------------------------------------------------------------------------------

    def _start_web(self) -> None:
        self._ports["web"] = free_port()
        write(SITE / "index.html", "<h1>hello</h1>\n")
        write(Path("/etc/nginx/replay.conf"), f"""daemon off; pid /run/nginx-replay.pid; user www-data;
error_log /var/log/nginx/replay-error.log;
events {{ worker_connections 64; }}
http {{ access_log /var/log/nginx/replay-access.log; include /etc/nginx/replay.d/*.conf;
  server {{ listen 127.0.0.1:{self._ports["web"]}; root {SITE}; }} }}
""")  # fmt: skip
        Path("/etc/nginx/replay.d").mkdir(exist_ok=True)
        self._start("web", [str(where("nginx")), "-c", "/etc/nginx/replay.conf"])
        until(self._requests, "the web server answers")

    def _requests(self) -> bool:
        for _ in range(20):
            urllib.request.urlopen(f"http://127.0.0.1:{self._ports['web']}/index.html", timeout=5).close()
        return True

    def _deploy(self) -> None:
        write(SITE / "index.html", f"<h1>{time.time()}</h1>\n")
        write(SITE / "app.js", f"const at = {time.time()};\nfetch('/index.html').then(r => r.text());\n")
        write(Path("/etc/nginx/replay.d/types.conf"), f"types {{ text/plain txt; }} # {time.time()}\n")
        self._started["web"].send_signal(signal.SIGHUP)

    def _rotate(self) -> None:
        write(Path("/etc/logrotate.replay.conf"), _ROTATION)
        run([str(where("logrotate")), "-f", "-s", "/var/lib/logrotate/replay.status", "/etc/logrotate.replay.conf"])

    # --- ssh ------------------------------------------------------------------------------------------------------

    def _start_ssh(self) -> None:
        folder = Path("/etc/ssh-replay")
        folder.mkdir()
        Path("/run/sshd").mkdir(exist_ok=True)
        KEY.parent.mkdir(mode=0o700, exist_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "host"])
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", KEY])
        write(KEY.parent / "authorized_keys", Path(f"{KEY}.pub").read_text(), 0o600)
        self._ports["ssh"] = free_port()
        write(folder / "sshd_config", f"""Port {self._ports["ssh"]}
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile /run/sshd-replay.pid
UsePAM yes
Subsystem sftp internal-sftp
""")  # fmt: skip
        key = f"[127.0.0.1]:{self._ports['ssh']} {(folder / 'host.pub').read_text()}"
        write(KEY.parent / "known_hosts", key)
        owned([KEY.parent, *KEY.parent.iterdir()])
        self._start("ssh", [str(where("sshd")), "-D", "-f", folder / "sshd_config"])
        until(self._ssh_answers, "ssh answers")

    def _options(self, port: str = "-p") -> list[str]:
        return ["-i", str(KEY), port, str(self._ports["ssh"]), "-o", "BatchMode=yes"]

    def _ssh_answers(self) -> bool:
        self._ssh_command()
        return True

    def _ssh_command(self) -> None:
        as_user(["ssh", *self._options(), f"{USER}@127.0.0.1", "uptime; df -h /; ls -l /var/log; id"])

    def _ssh_session(self) -> None:
        """A person at a terminal: looks around, edits, reads a log, leaves."""
        typed = b"ls -la\ncd src 2>/dev/null\ngit status\ntail -n 5 /var/log/dpkg.log\necho note >> ~/notes.txt\nexit\n"
        words = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "env", f"HOME={HOME}", "ssh", "-tt",
                 *self._options(), f"{USER}@127.0.0.1"]  # fmt: skip
        subprocess.run(words, input=typed, check=False, timeout=60, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)  # fmt: skip

    def _ssh_files(self) -> None:
        write(HOME / "upload.txt", f"{time.time()}\n")
        owned([HOME / "upload.txt"])
        as_user(["scp", *self._options("-P"), HOME / "upload.txt", f"{USER}@127.0.0.1:received.txt"])

    # --- cron -----------------------------------------------------------------------------------------------------

    def _start_cron(self) -> None:
        _cron_jobs()
        self._start("cron", [str(where("cron")), "-f"])


def _cron_jobs() -> None:
    write(Path("/usr/local/bin/replay-report"), f"""#!/bin/sh
# {int(time.time())}
set -e
find /var/log -name '*.gz' -size +1M | wc -l
tar -czf /var/backups/etc-nginx.tgz -C /etc nginx
find /var/backups -name 'old-*' -mtime +7 -delete
""", 0o755)  # fmt: skip
    write(Path("/etc/cron.d/replay"), f"""SHELL=/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin
* * * * * root /usr/local/bin/replay-report >>/var/log/replay-cron.log 2>&1
*/2 * * * * root run-parts /etc/cron.replay >>/var/log/replay-cron.log 2>&1
* * * * * {USER} cd {HOME} && ls | wc -l >> counted.txt
""")  # fmt: skip
    write(Path("/etc/cron.replay/clean"), "#!/bin/sh\nfind /tmp -name 'replay-*' -mmin +5 -delete\n", 0o755)


def _postgres(name: str) -> Path:
    """Return a program of the newest PostgreSQL here."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    return folders[-1] / name if folders else Path(str(where(name)))


def free_port() -> int:
    """Return a port of loopback that nobody has now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def until(holds: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Wait until something holds; `AssertionError` where it never does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if holds():
                return
        except (OSError, subprocess.SubprocessError, AssertionError):
            pass
        time.sleep(0.3)
    raise AssertionError(f"never: {what} (pid {os.getpid()})")
