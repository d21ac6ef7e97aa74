"""The command line's contract: exit codes, streams, formats, errors, help."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from hinomi.cli.main import Commands, root
from hinomi.examples.replica import build_replica

REPORT = """A new implant family

The script "lanternd" is restarted by "lampd" whenever it ends, and both run the backdoor TinyShell at boot.
It calls hxxp://kawara[.]example.com/a every hour. Upgrade the gateway to version 4.2.1 or later.
"""


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "post.txt"
    path.write_text(REPORT)
    return path


@pytest.fixture
def replica(tmp_path: Path) -> Path:
    folder = tmp_path / "appliance"
    build_replica(folder, seed=3)
    return folder


def schema(hinomi, name: str) -> dict[str, object]:
    return json.loads(hinomi("schema", name).out)


def test_nothing_found_leaves_with_0(hinomi, honest_root: Path) -> None:
    ran = hinomi.with_case("scan", str(honest_root), "--format", "jsonl", "--fail-on", "medium")
    assert ran.code == 0, ran.out + ran.err
    assert json.loads(ran.out.splitlines()[-1])["complete"] is True


def test_findings_leave_with_1_and_fit_the_schema(hinomi, replica: Path) -> None:
    ran = hinomi.with_case("scan", str(replica), "--format", "jsonl")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 1
    assert len(lines) > 5
    for finding in lines[:-1]:
        jsonschema.validate(finding, schema(hinomi, "finding"))
    jsonschema.validate(lines[-1], schema(hinomi, "coverage"))
    assert hinomi.with_case("scan", str(replica), "--fail-on", "never").code in (0, 3)


def test_an_unreadable_folder_leaves_with_3(honest_root: Path, tmp_path: Path) -> None:
    (honest_root / "etc" / "cron.d").chmod(0)
    command = [sys.executable, "-c", "from hinomi.cli.main import main; main()"]
    if os.geteuid() == 0:  # root without the capability to read everything
        if not shutil.which("setpriv"):
            pytest.skip("setpriv (util-linux) is not here")
        lost = "-dac_override,-dac_read_search"
        command = ["setpriv", f"--bounding-set={lost}", f"--inh-caps={lost}", *command]
    command += ["scan", str(honest_root), "--case", str(tmp_path / "case"), "--format", "jsonl"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    (honest_root / "etc" / "cron.d").chmod(0o755)
    assert ran.returncode == 3, ran.stderr
    coverage = json.loads(ran.stdout.splitlines()[-1])
    assert any("cron.d" in miss["subject"] for miss in coverage["not_examined"])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["scan", "/no/such/place"], 2, "target.missing"),
        (["check"], 2, "usage"),
        (["scna"], 2, "usage"),
        (["read", "/no/such/report"], 2, "report.missing"),
        (["read", "/dev/zero"], 2, "report.not-a-file"),
        (["hunt", "--rule", "a", "--sql", "b"], 2, "usage"),
        (["scan", "--rules", "/no/such/rules"], 2, "usage"),
        (["library", "show", "none"], 2, "library.no-such-report"),
        (["schema", "none"], 2, "schema.unknown"),
    ],
)
def test_wrong_use_leaves_with_its_code_and_a_next_step(hinomi, arguments, code, said) -> None:
    ran = hinomi(*arguments) if arguments[0] in ("schema", "scna") else hinomi.with_case(*arguments)
    assert ran.code == code, ran.err
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""


def test_a_fifo_is_no_report(hinomi, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert "report.not-a-file" in hinomi.with_case("read", str(tmp_path / "pipe.txt")).err


def test_an_unwritable_case_leaves_with_5(hinomi, tmp_path: Path, honest_root: Path) -> None:
    (tmp_path / "file").write_text("")
    assert hinomi("scan", str(honest_root), "--case", str(tmp_path / "file" / "case")).code == 5


def test_a_bad_rule_is_said_and_stops_nothing(hinomi, tmp_path: Path, honest_root: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "broken.yml").write_text("id: [unclosed")
    ran = hinomi.with_case("scan", str(honest_root), "--rules", str(rules), "--format", "jsonl")
    assert ran.code == 3
    assert "broken.yml" in ran.out
    assert hinomi("rule", "lint", "--rules", str(rules)).code == 4


def test_unknown_settings_are_refused_with_a_suggestion(hinomi, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "hinomi.toml").write_text('formt = "json"\n')
    ran = hinomi.with_case("doctor")
    assert ran.code == 4
    assert "format" in ran.err
    (tmp_path / "hinomi.toml").write_text('format = "json"\n[organisation]\nsectors = ["防衛"]\n')
    assert json.loads(hinomi.with_case("doctor").out)
    monkeypatch.setenv("HINOMI_FROMAT", "json")
    assert hinomi.with_case("doctor").code == 4


def test_the_compiled_core_can_be_left_out(tmp_path: Path) -> None:
    script = "from hinomi.cli.main import main; main()"
    command = [sys.executable, "-c", script, "doctor", "--case", str(tmp_path / "case"), "--format", "json"]
    ran = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "HINOMI_PURE": "1"}, cwd=tmp_path, timeout=1800
    )
    assert ran.returncode == 0, ran.stderr
    core = next(check for check in json.loads(ran.stdout) if check["name"] == "compiled core")
    assert (core["ok"], "several times as slowly" in core["detail"]) == (False, True)
    assert "names in reports are found in Python" in core["detail"]


def test_read_prints_the_contract(hinomi, report: Path) -> None:
    ran = hinomi.with_case("read", str(report), "--format", "json")
    body = json.loads(ran.out)
    jsonschema.validate(body, schema(hinomi, "report"))
    text = hinomi.with_case("read", str(report), "--format", "text").out
    assert body["claims"]
    for claim in body["claims"]:
        assert text[claim["span"][0] : claim["span"][1]] == claim["text"]
    lines = hinomi.with_case("read", str(report), str(report), "--format", "jsonl").out.splitlines()
    assert len(lines) == 2
    assert json.loads(lines[0]) == body


def test_read_takes_standard_input(hinomi) -> None:
    body = json.loads(hinomi.with_case("read", "-", "--format", "json", stdin=REPORT.encode()).out)
    assert body["source"] == "stdin"


def test_check_answers_both_reports(hinomi, report: Path, replica: Path) -> None:
    ran = hinomi.with_case("check", str(report), "--on", str(replica), "--format", "json")
    verdict = json.loads(ran.out)
    jsonschema.validate(verdict, schema(hinomi, "verdict"))
    assert ran.code == 1
    assert verdict["compromised"]["answer"] == "yes"
    ids = {f["id"] for f in verdict["findings"]}
    assert {i for r in verdict["compromised"]["reasons"] for i in r["because"]} & ids
    assert verdict["actions"]
    assert all(set(a["because"]) for a in verdict["actions"])


def test_the_same_input_gives_the_same_bytes(hinomi, report: Path, replica: Path, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795000000")
    outputs = []
    for number in range(2):
        case = str(tmp_path / f"case{number}")
        outputs.append(hinomi("check", str(report), "--on", str(replica), "--case", case, "--format", "json").out)
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("kind", ["table", "json", "csv", "sarif", "ocsf", "stix", "md", "html"])
def test_every_format_of_scan(hinomi, replica: Path, kind: str, tmp_path: Path) -> None:
    target = tmp_path / f"out.{kind}"
    ran = hinomi.with_case("scan", str(replica), "--format", kind, "-o", str(target))
    assert ran.code == 1
    assert ran.out == ""
    assert target.stat().st_size > 200
    if kind in ("json", "sarif", "stix"):
        assert json.loads(target.read_text("utf-8"))


def test_what_was_stored_can_be_asked_again(hinomi, report: Path, replica: Path) -> None:
    hinomi.with_case("scan", str(replica))
    hinomi.with_case("read", str(report))
    listed = json.loads(hinomi.with_case("library", "list", "--format", "json").out)
    assert hinomi.with_case("hunt", "--report", listed[0]["id"], "--format", "json").code == 1
    rows = json.loads(hinomi.with_case("hunt", "--sql", "SELECT count(*) AS n FROM files", "--format", "json").out)
    assert rows[0]["n"] > 10
    page = hinomi.with_case("brief", "--lang", "ja").out
    assert "自組織の状況" in page
    assert hinomi.with_case("respond", "plan", "--format", "json").out.startswith("[")


def test_accepted_indicators_are_used_by_scan(hinomi, tmp_path: Path, honest_root: Path) -> None:
    import hashlib

    digest = hashlib.sha256((honest_root / "usr/local/bin/backup.sh").read_bytes()).hexdigest()
    (tmp_path / "ioc.txt").write_text(f"Indicators of compromise\n\nSHA-256 of the backdoor: {digest}\n")
    listed = json.loads(hinomi.with_case("read", str(tmp_path / "ioc.txt"), "--format", "json").out)
    assert any(c["type"] == "sha256" for c in listed["claims"])
    assert hinomi.with_case("scan", str(honest_root)).code == 0
    assert hinomi.with_case("library", "accept", listed["id"], "--why", "test").code == 0
    assert hinomi.with_case("scan", str(honest_root)).code == 1


def test_the_target_is_left_as_it_was(hinomi, replica: Path) -> None:
    def state() -> dict[str, tuple[int, int]]:
        return {str(p): (p.lstat().st_mtime_ns, p.lstat().st_size) for p in sorted(replica.rglob("*"))}

    before = state()
    hinomi.with_case("scan", str(replica))
    assert state() == before


@pytest.mark.parametrize("name", Commands().list_commands(None))  # type: ignore[arg-type]
@pytest.mark.parametrize("language", ["en", "ja"])
def test_help_has_two_examples(name: str, language: str) -> None:
    environment = {**os.environ, "HINOMI_LANG": language}
    script = "from hinomi.cli.main import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", script, name, "--help"], capture_output=True, text=True, env=environment, timeout=1800
    )
    assert ran.returncode == 0, ran.stderr
    assert sum(line.strip().startswith(f"hinomi {name}") for line in ran.stdout.splitlines()) >= 2
    assert ("例:" if language == "ja" else "Examples:") in ran.stdout


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv=['hinomi','--help']\nfrom hinomi.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(sorted({m.split('.')[0] for m in sys.modules}), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=1800)
    heavy = (
        "pyarrow",
        "duckdb",
        "yara_x",
        "rich",
        "jinja2",
        "stix2",
        "trafilatura",
        "lxml",
        "tree_sitter",
        "starlette",
    )
    assert not [name for name in heavy if f"'{name}'" in ran.stderr]
    assert "'click'" in ran.stderr


def test_every_command_takes_the_common_options() -> None:
    for name in root.list_commands(None):  # type: ignore[arg-type]
        command = root.get_command(None, name)  # type: ignore[arg-type]
        if name == "completion":
            continue
        leaves = getattr(command, "commands", {name: command}).values()
        for leaf in leaves:
            options = {o for p in leaf.params for o in p.opts}
            assert {"--case", "--format", "-o", "--lang", "-q", "-v", "--debug", "--no-color"} <= options, name


def test_interrupting_leaves_a_valid_case(tmp_path: Path, replica: Path) -> None:
    import signal
    import time

    for number in range(1500):
        (replica / f"f{number}").write_text("x" * number)
    case = tmp_path / "case"
    script = "from hinomi.cli.main import main; main()"
    child = subprocess.Popen(
        [sys.executable, "-c", script, "scan", str(replica), "--case", str(case)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    while not (case / "state.db").exists() and child.poll() is None:
        time.sleep(0.02)
    time.sleep(0.15)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate()
    assert child.returncode in (130, 1, 3), said  # 1 or 3 where it was done before the signal came
    assert b"Traceback" not in said
    from hinomi.store.case import Case

    with Case.open(case) as opened:
        assert opened.journal.broken_at() is None
        assert not opened.runs("running")
        assert not list(case.glob("evidence/**/*.partial"))
