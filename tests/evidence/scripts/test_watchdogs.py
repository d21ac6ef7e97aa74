"""Who starts whom when it is not running: many idioms, own names, exact rows."""

import pytest

from hinomi.evidence.scripts import analyse


def rows(text, path="/opt/x/keeper"):
    return analyse(path, text.encode(), language="shell").actions


def start(text, name):
    found = [a for a in rows(text) if a.action == "starts" and a.object == name]
    assert found, [(a.action, a.object) for a in rows(text)]
    return found[0]


NOT_RUNNING = {
    "pidof-or": "pidof otterd >/dev/null || /opt/x/otterd &",
    "pgrep-f": "if ! pgrep -f otterd >/dev/null 2>&1; then /opt/x/otterd & fi",
    "ps-grep-count": "n=`ps ax | grep otterd | grep -v grep | wc -l`\nif [ $n -eq 0 ]; then /opt/x/otterd & fi",
    "count-lt-one": 'n=$(ps -ef | grep -v grep | grep -c otterd)\nif [ "$n" -lt 1 ]; then /opt/x/otterd & fi',
    "empty-variable": 'p=$(pidof otterd)\nif [ -z "$p" ]; then /opt/x/otterd & fi',
    "x-trick": 'p=$(pidof otterd)\nif [ "x$p" = "x" ]; then /opt/x/otterd & fi',
    "bracket-trick": 'ps aux | grep "[o]tterd" > /dev/null || nohup /opt/x/otterd >/dev/null 2>&1 &',
    "awk": "p=$(ps | awk '/otterd/ && !/awk/ {print $1}')\n[ -z \"$p\" ] && /opt/x/otterd &",
    "status": "ps | grep -v grep | grep -q otterd\nif [ $? -ne 0 ]; then\n  /opt/x/otterd &\nfi",
    "status-saved": 'pgrep otterd >/dev/null\nr=$?\nif [ "$r" = 1 ]; then /opt/x/otterd & fi',
    "killall-0": "killall -0 otterd 2>/dev/null || setsid /opt/x/otterd",
    "early-exit": "pidof otterd && exit 0\n/opt/x/otterd &",
    "early-continue": "while :; do\n if pgrep otterd; then sleep 5; continue; fi\n /opt/x/otterd &\n sleep 5\ndone",
    "case-empty": 'case "$(pidof otterd)" in\n "") /opt/x/otterd & ;;\n *) ;;\nesac',
    "until": "until pgrep otterd; do /opt/x/otterd & sleep 1; done",
    "while-not": "while ! pidof otterd >/dev/null; do /opt/x/otterd & sleep 3; done",
    "wait-then-start": "while pidof otterd; do sleep 5; done\n/opt/x/otterd &",
    "function-body": 'alive() { ps | grep "$1" | grep -v grep >/dev/null; }\nif ! alive otterd; then /opt/x/otterd & fi',
    "function-returns": (
        "alive() {\n n=$(ps w | grep $1 | grep -v grep | wc -l)\n if [ $n -gt 0 ]; then return 0; fi\n return 1\n}\n"
        "alive otterd || /opt/x/otterd &"
    ),
    "function-starts": 'ensure() { pidof "$1" >/dev/null || "/opt/x/$1" & }\nwhile true; do ensure otterd; sleep 3; done',
    "flag": (
        "up=0\nfor d in /proc/[0-9]*; do\n if grep -q otterd $d/cmdline 2>/dev/null; then up=1; fi\ndone\n"
        "if [ $up -eq 0 ]; then /opt/x/otterd & fi"
    ),
    "proc-comm": (
        'up=no\nfor p in /proc/[1-9]*/comm; do\n [ "$(cat $p)" = otterd ] && up=yes\ndone\n'
        "[ $up = no ] && /opt/x/otterd &"
    ),
    "proc-cat": "cat /proc/*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -q otterd || /opt/x/otterd &",
    "variables": 'D=/opt/x\nN=otterd\nP=$D/$N\nif [ -z "$(pgrep -f $N)" ]; then ( $P & ) ; fi',
    "basename": "P=/opt/x/otterd\npidof ${P##*/} >/dev/null || $P &",
    "arith": "c=$(pgrep -c otterd)\nif (( c == 0 )); then /opt/x/otterd & fi",
    "double-bracket": "if [[ -z $(pidof otterd) ]]; then /opt/x/otterd & fi",
    "negated-test": 'p=$(pidof otterd)\nif [ ! -n "$p" ]; then /opt/x/otterd & fi',
    "else": "if pgrep otterd; then :; else /opt/x/otterd & fi",
    "elif": "if [ -f /tmp/stop ]; then exit; elif ! pidof otterd; then /opt/x/otterd & fi",
    "nested-exists": "if ! pidof otterd; then if [ -x /opt/x/otterd ]; then /opt/x/otterd & fi; fi",
    "assigned-in-if": "if ! p=$(pgrep otterd); then /opt/x/otterd & fi",
    "busybox": "busybox pidof otterd || busybox nohup /opt/x/otterd &",
    "eval": "eval 'pidof otterd || /opt/x/otterd &'",
    "sh-c": "pidof otterd || sh -c '/opt/x/otterd -k &'",
    "subshell-test": "(pidof otterd >/dev/null 2>&1) || /opt/x/otterd &",
    "test-command": 'test -n "$(pidof otterd)" || /opt/x/otterd &',
    "set-positional": "set -- $(pidof otterd)\n[ $# -eq 0 ] && /opt/x/otterd &",
    "systemctl": "systemctl is-active otterd || /opt/x/otterd &",
    "fuser": "fuser -s otterd || /opt/x/otterd &",
    "lsof-c": "lsof -c otterd >/dev/null || /opt/x/otterd &",
    "find-proc": "[ -n \"$(find /proc -maxdepth 2 -name exe -lname '*otterd*')\" ] || /opt/x/otterd &",
    "lock": "flock -n /run/otterd.lock true && /opt/x/otterd &",
    "listening": "ss -lntp | grep -q otterd || /opt/x/otterd &",
    "loop-over-names": "for n in otterd stoatd; do pidof $n >/dev/null || /opt/x/$n & done",
}


LISTENING = {
    "ss": "ss -lnt | grep -q :4999 || /opt/x/otterd &",
    "netstat": 'if [ -z "$(netstat -tln | grep :4999)" ]; then /opt/x/otterd & fi',
    "nc": "nc -z 127.0.0.1 4999 || /opt/x/otterd &",
}


@pytest.mark.parametrize("idiom", LISTENING)
def test_a_start_when_nobody_listens_on_its_port(idiom):
    action = start(LISTENING[idiom], "/opt/x/otterd")
    assert (action.guard_kind, action.guard_object) == ("not-running", ":4999")


def test_a_lock_that_guards_a_command_asks_nothing():
    action = start("flock -n /run/job.lock /opt/x/otterd", "/opt/x/otterd")
    assert action.guard_kind is None
    assert not [a for a in rows("ss -tn | grep -q 192.0.2.7") if a.action == "checks-running"]


@pytest.mark.parametrize("idiom", NOT_RUNNING)
def test_a_start_under_not_running(idiom):
    action = start(NOT_RUNNING[idiom], "/opt/x/otterd")
    assert (action.guard_kind, action.guard_object) == ("not-running", "otterd")


@pytest.mark.parametrize("idiom", [k for k in NOT_RUNNING if k not in ("proc-cat",)])
def test_the_check_itself_is_a_row(idiom):
    checks = [a.object for a in rows(NOT_RUNNING[idiom]) if a.action == "checks-running"]
    assert "otterd" in checks


RUNNING = {
    "and": "pidof otterd && /opt/x/stop-otter",
    "count": 'n=$(pgrep -c otterd)\nif [ "$n" -gt 0 ]; then /opt/x/stop-otter; fi',
    "early-exit": "pidof otterd || exit 0\n/opt/x/stop-otter",
    "grep-counts-itself": "n=`ps ax | grep otterd | wc -l`\nif [ $n -gt 1 ]; then /opt/x/stop-otter; fi",
}


@pytest.mark.parametrize("idiom", RUNNING)
def test_a_start_under_running(idiom):
    action = start(RUNNING[idiom], "/opt/x/stop-otter")
    assert (action.guard_kind, action.guard_object) == ("running", "otterd")


def test_grep_that_counts_itself_needs_two():
    action = start("n=`ps ax | grep otterd | wc -l`\nif [ $n -lt 2 ]; then /opt/x/otterd & fi", "/opt/x/otterd")
    assert (action.guard_kind, action.guard_object) == ("not-running", "otterd")


def test_a_pid_file_stands_for_the_program_whose_pid_went_there():
    text = (
        "/opt/x/otterd &\necho $! > /var/run/o.pid\n"
        "while true; do\n kill -0 $(cat /var/run/o.pid) 2>/dev/null || /opt/x/otterd &\n sleep 7\ndone"
    )
    guarded = [a for a in rows(text) if a.action == "starts" and a.guard_kind == "not-running"]
    assert [(a.object, a.guard_object, a.loop_interval) for a in guarded] == [("/opt/x/otterd", "/opt/x/otterd", 7.0)]


def test_a_pid_file_of_another_program_names_the_file():
    text = "p=$(cat /run/o.pid)\nif [ ! -d /proc/$p ]; then /opt/x/otterd & fi"
    action = start(text, "/opt/x/otterd")
    assert (action.guard_kind, action.guard_object) == ("not-running", "/run/o.pid")


BACKGROUND = [
    "/opt/x/o &",
    "nohup /opt/x/o",
    "setsid /opt/x/o",
    "(/opt/x/o &)",
    "start-stop-daemon -S -b -x /opt/x/o",
    "{ /opt/x/o; } &",
    "f() { /opt/x/o; }\nf &",
]


@pytest.mark.parametrize("text", BACKGROUND)
def test_background(text):
    assert start(text, "/opt/x/o").background


WRAPPED = [
    "exec /opt/x/o",
    "env A=1 /opt/x/o",
    "timeout 5 /opt/x/o",
    "su -c /opt/x/o nobody",
    "su - nobody -c '/opt/x/o -v'",
    "sudo -u nobody /opt/x/o",
    "sh /opt/x/o",
    "bash -x /opt/x/o",
    "/bin/sh -c '/opt/x/o'",
    "nice -n 19 /opt/x/o",
    "busybox sh /opt/x/o",
    "chroot /mnt /opt/x/o",
    "A=1 /opt/x/o",
    "X=/opt/x/o; $X",
    "X=/opt; Y=x; ${X}/${Y}/o",
    'C="/opt/x/o -k 3"; $C',
    "cd /opt/x && ./o",
    "cd /opt; x/o",
    "`echo /opt/x/o`",
    "$(printf '%s/%s' /opt/x o)",
    "flock -n /tmp/l /opt/x/o",
    "/opt/y/p | /opt/x/o",
    "x=(/opt/x/o -a); ${x[0]}",
    'x=(/opt/x/o -a); "${x[@]}"',
    "eval /opt/x/o",
    "xargs /opt/x/o < /tmp/l",
    "echo /opt/x/o | sh",
    "sh <<E\n/opt/x/o\nE",
    "sh <<< /opt/x/o",
    "echo L29wdC94L28= | base64 -d | sh",
    "eval $(echo 6f2f782f74706f2f | xxd -r -p | rev)",
    "${UNSET:-/opt/x/o}",
    "/opt/x/$'\\x6f'",
    "/opt/\"x\"/'o'",
    "/opt/x\\/o",
    "while read l; do /opt/x/o $l; done < /tmp/l",
    "trap '/opt/x/o' EXIT",
    "f() { $1 -d; }\nf /opt/x/o",
    "case $1 in start) /opt/x/o;; esac",
    "python3 /opt/x/o",
    "D=$(dirname /opt/x/y); $D/o",
    "watch -n 5 /opt/x/o",
    "find /opt/x -name z -exec /opt/x/o {} \\;",
    "if /opt/x/o; then :; fi",
    "! /opt/x/o",
    "a=/opt/x/zzo; ${a/zz/}",
    "p=/opt/x/o.sh; ${p%.sh}",
]


@pytest.mark.parametrize("text", WRAPPED)
def test_a_start_in_disguise(text):
    assert start(text, "/opt/x/o").function in (None, "f")


def test_own_name_and_folder_are_known():
    found = rows('cd "$(dirname "$0")"\n./twin &\nN=$(basename "$0")\npidof "$N"-b || exit')
    assert [(a.action, a.object) for a in found] == [("starts", "/opt/x/twin"), ("checks-running", "keeper-b")]


def test_arguments_of_a_start_are_its_detail():
    action = start("H=198.51.100.7\nP=4433\n/opt/x/o -c $H $P &", "/opt/x/o")
    assert action.detail == "-c 198.51.100.7 4433"
    assert ("connects", "198.51.100.7:4433") in [(a.action, a.object) for a in rows("/opt/x/o -c 198.51.100.7 4433 &")]


def test_tools_of_the_system_are_not_started_programs():
    assert [a.action for a in rows("ls /; grep a b; /bin/mkdir /q; awk 1 f; test 1; [ 1 ]; echo hi; true")] == [
        "checks-exists"
    ]


def test_a_tool_under_a_foreign_path_is_a_program():
    assert [(a.action, a.object) for a in rows("/dev/shm/cp a b")] == [("starts", "/dev/shm/cp")]
