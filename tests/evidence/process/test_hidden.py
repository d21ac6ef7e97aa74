"""What hides is found, and a busy host is no false alarm: real processes of our own, each of them bounded."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hinomi.evidence.process.hidden import hidden_processes
from hinomi.evidence.process.views import Pin, ProcessViews
from hinomi.model.findings import Coverage

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
SLEEP = shutil.which("sleep") or "/bin/sleep"
READER = """
import json, sys
from hinomi.evidence.process.hidden import hidden_processes
from hinomi.evidence.process.views import ProcessViews
from hinomi.model.findings import Coverage
rows = hidden_processes(ProcessViews(), Coverage())
print(json.dumps([[r.pid, r.hidden_from, r.seen_by, r.name] for r in rows]))
"""


class Blind(ProcessViews):
    """Real views, of which the kernel's listing leaves out one process, as a rootkit's filter does."""

    hides = 0

    def listing(self) -> set[int]:
        return super().listing() - {self.hides}


@needs_proc
def test_an_honest_host_hides_nothing() -> None:
    coverage = Coverage()
    assert list(hidden_processes(ProcessViews(), coverage)) == []
    assert coverage.complete and coverage.examined["process-ids"] == ProcessViews().pid_max()


@needs_proc
def test_the_two_listings_agree_and_threads_answer_without_being_listed() -> None:
    views, ready, done = ProcessViews(), threading.Event(), threading.Event()
    numbers: list[int] = []

    def run() -> None:
        numbers.append(threading.get_native_id())
        ready.set()
        done.wait()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(600)
        assert {1, os.getpid()} <= views.listing() & views.library_listing()
        assert numbers[0] in set(views.answering()) - views.listing()
        assert views.leader(numbers[0]) == os.getpid()
        assert Pin.open(views, numbers[0]) is None
        assert list(hidden_processes(views, Coverage())) == []
    finally:
        done.set()
        thread.join()


@needs_proc
def test_a_process_that_the_listing_leaves_out() -> None:
    views = Blind()
    with subprocess.Popen([SLEEP, "3600"]) as process:
        try:
            views.hides = process.pid
            (row,) = hidden_processes(views, Coverage())
        finally:
            process.kill()
    assert (row.pid, row.hidden_from, row.name) == (process.pid, ["listing"], "sleep")
    assert {"signal", "session", "scheduler", "stat"} <= set(row.seen_by)
    assert row.exe == os.path.realpath(SLEEP) and row.started


@needs_proc
def test_what_ended_meanwhile_is_not_hidden() -> None:
    views = ProcessViews()
    with subprocess.Popen([SLEEP, "3600"]) as process:
        with_pin = Pin.open(views, process.pid)
        assert with_pin is not None and with_pin.alive()
        process.kill()
    assert not with_pin.alive()
    with_pin.close()
    assert Pin.open(views, process.pid) is None


@needs_proc
def test_a_storm_of_short_lived_processes_is_no_false_alarm() -> None:
    storm = "import os\nfor n in range(3000):\n pid = os.fork()\n if not pid: os._exit(0)\n os.waitpid(pid, 0)\n"
    with subprocess.Popen([sys.executable, "-c", storm]) as process:
        looks = 0
        while process.poll() is None or looks < 3:
            assert list(hidden_processes(ProcessViews(), Coverage())) == []
            looks += 1


@needs_proc
def test_another_pid_namespace_is_said(tmp_path: Path) -> None:
    coverage = Coverage()
    assert list(hidden_processes(ProcessViews(os.fsencode(tmp_path)), coverage)) == []
    assert [(m.area, m.reason) for m in coverage.misses] == [("hidden_processes", "unreadable")]


@needs_proc
@needs_root
@pytest.mark.skipif(not shutil.which("unshare"), reason="no unshare")
def test_a_folder_covered_by_a_mount(tmp_path: Path) -> None:
    with subprocess.Popen([SLEEP, "3600"]) as process:
        script = f"mount --bind {tmp_path} /proc/{process.pid} && exec {sys.executable} -c '{READER}'"
        try:
            made = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, check=False)
        finally:
            process.kill()
    if "permission denied" in made.stderr.lower():
        pytest.skip("mounting is not allowed here")
    assert f'[[{process.pid}, ["folder", "mount"]' in made.stdout, made.stderr
    assert '"mountinfo"' in made.stdout


@needs_proc
@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler")
def test_a_library_that_filters_the_listing(tmp_path: Path) -> None:
    source = tmp_path / "filter.c"
    source.write_text(
        "#define _GNU_SOURCE\n#include <dirent.h>\n#include <dlfcn.h>\n#include <stdlib.h>\n#include <string.h>\n"
        "static struct dirent *next(DIR *d, const char *name) {\n"
        "  struct dirent *(*real)(DIR *) = dlsym(RTLD_NEXT, name), *e;\n"
        '  const char *pid = getenv("LEFT_OUT");\n'
        "  while ((e = real(d)) && pid && !strcmp(e->d_name, pid));\n  return e;\n}\n"
        'struct dirent *readdir(DIR *d) { return next(d, "readdir"); }\n'
        'struct dirent64 *readdir64(DIR *d) { return (void *)next(d, "readdir64"); }\n'
    )
    library = tmp_path / "filter.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-w", "-o", library, source, "-ldl"], check=True)
    with subprocess.Popen([SLEEP, "3600"]) as process:
        try:
            environment = {**os.environ, "LD_PRELOAD": str(library), "LEFT_OUT": str(process.pid)}
            made = subprocess.run(
                [sys.executable, "-c", READER], env=environment, capture_output=True, text=True, check=True
            )
        finally:
            process.kill()
    assert f'[[{process.pid}, ["library"]' in made.stdout
