"""Downloads, uploads and connections."""

from __future__ import annotations

from hinomi.evidence.scripts.shell import sinks
from hinomi.evidence.scripts.shell.core import Call, Machine, Result
from hinomi.evidence.scripts.shell.registry import handles
from hinomi.evidence.scripts.values import Condition, Source, Value, unknown

_CURL_VALUES = (
    "-o", "-d", "-H", "-A", "-u", "-x", "-X", "-T", "-F", "-e", "-b", "-c", "-m", "-K", "-w", "-E", "-r", "-C", "-z",
    "-D", "-Y", "-y", "-t",
    "--output", "--data", "--header", "--user-agent", "--user", "--proxy", "--request", "--upload-file", "--form",
    "--connect-timeout",
    "--max-time", "--retry", "--retry-delay", "--cacert", "--cert", "--key", "--data-binary", "--data-raw",
    "--data-urlencode",
    "--output-dir", "--resolve", "--referer", "--cookie", "--cookie-jar", "--config", "--write-out", "--interface",
    "--post-data",
    "--post-file", "--limit-rate", "--json",
)  # fmt: skip
_WGET_VALUES = (
    "-O", "-o", "-P", "-U", "-T", "-t", "-e", "-i", "-a", "-l", "-A", "-R", "-Q", "-w", "--output-document",
    "--directory-prefix",
    "--user-agent", "--timeout", "--tries", "--header", "--post-data", "--post-file", "--input-file", "--wait",
)  # fmt: skip


def _downloaded(machine: Machine, call: Call, url: Value | None, target: Value | None) -> Result:
    """Record a download; its content is remembered where it lands."""
    source = Source("download", url.text if url is not None else None, call.name)
    content = unknown(f"$({call.text[:200]})", source)
    ask = (Condition("other", None, call.text[:200]),)
    if target is None or target.text in ("-", "/dev/stdout"):
        machine.emit(call, "downloads", url, next((r.target for r in call.redirects if ">" in r.operator), None))
        return Result(content, ask)
    full = machine.env.resolve(target)
    machine.emit(call, "downloads", url, full)
    if full.text not in ("/dev/null",):
        machine.made[full.text] = content
        sinks.meaning(machine, call, full, content)
    return Result(conditions=ask)


def _name_of(url: Value) -> Value:
    path = url.text.split("?")[0].split("#")[0]
    return Value(path.rsplit("/", 1)[-1] or "index.html", url.constant)


def _come_in(call: Call) -> Value | None:
    """What is sent from the input; of a database's answer, what was asked and kept."""
    source = call.stdin.source if call.stdin is not None else None
    return unknown(source.object or "") if source is not None and source.kind == "query" else call.stdin


@handles("curl")
def curl(machine: Machine, call: Call) -> Result:
    """Downloads unless -T, -F or -d sends something."""
    urls = [*call.operands(*_CURL_VALUES), *([u] if (u := call.option("--url")) else [])]
    url = next((u for u in urls if u.text), None)
    sent = call.option(
        "-T",
        "--upload-file",
        "-F",
        "--form",
        "-d",
        "--data",
        "--data-binary",
        "--data-raw",
        "--data-urlencode",
        "--json",
    )
    if sent is not None:
        machine.emit(call, "uploads", url, _come_in(call) if sent.text == "-" or sent.text.endswith("@-") else sent)
        return Result(unknown(f"$({call.text[:200]})", Source("download", url.text if url else None, "curl")))
    if url is None or call.flag("I", "--head"):
        return Result()
    target = call.option("-o", "--output")
    if target is None and call.flag("O", "--remote-name"):
        target = _name_of(url)
    return _downloaded(machine, call, url, target)


@handles(
    "wget",
    "wget2",
    "fetch",
    "axel",
    "aria2c",
    "lwp-download",
    "GET",
    "lynx",
    "links",
    "elinks",
    "http",
    "https",
    "httpie",
)
def wget(machine: Machine, call: Call) -> Result:
    """Downloads to a file of the URL's name unless -O says otherwise."""
    urls = call.operands(*_WGET_VALUES)
    url = urls[0] if urls else None
    sent = call.option("--post-file", "--post-data", "--body-file")
    if sent is not None:
        machine.emit(call, "uploads", url, sent)
        return Result()
    if call.flag("", "--spider", "--version"):
        return Result()
    target = call.option("-O", "--output-document", *(("-o",) if call.name in ("fetch", "axel", "aria2c") else ()))
    if target is None and any(o.startswith(("-qO", "-O")) and o.endswith("-") for o in call.options()):
        target = Value("-")
    if target is None and any(o.endswith("O") and not o.startswith("--") for o in call.options()):
        target = next(
            (call.args[i + 1] for i, a in enumerate(call.args[:-1]) if a.text.endswith("O") and a.text[0] == "-"), None
        )
        urls = [u for u in urls if target is None or u.text != target.text]
        url = urls[0] if urls else url
    if target is None and url is not None and call.name in ("wget", "wget2", "fetch", "lwp-download"):
        folder = call.option("-P", "--directory-prefix")
        target = _name_of(url)
        target = (
            Value(f"{folder.text.rstrip('/')}/{target.text}", folder.constant and target.constant)
            if folder is not None
            else target
        )
    return _downloaded(machine, call, url, target)


@handles("scp", "sftp", "rcp", "pscp")
def scp(machine: Machine, call: Call) -> Result | None:
    """`scp file host:` sends, `scp host:file .` fetches."""
    words = call.operands("-i", "-P", "-o", "-F", "-c", "-l", "-S", "-b")
    if len(words) > 1 and ":" in words[-1].text:
        machine.emit(call, "uploads", words[-1], words[0])
    elif words and ":" in words[0].text:
        _downloaded(machine, call, words[0], words[-1] if len(words) > 1 else None)
    return None


@handles("tftp", "ftp", "lftp", "ftpget", "ftpput", "ncftpput", "ncftpget", "smbclient", "rclone", "aws", "gsutil")
def transfer(machine: Machine, call: Call) -> Result | None:
    """Clients that send or fetch by a word or by commands on their input."""
    told = " ".join([a.text for a in call.args] + [call.stdin.text if call.stdin is not None else ""])
    tokens = told.replace(";", " ").split()
    words = call.operands("-c", "-l", "-r", "-u", "-p", "-e", "-m", "-b")
    host = words[0] if words else None
    if call.name in ("ftpput", "ncftpput") or (
        {"put", "mput", "-p", "copyto", "STOR", "mirror -R"} & set(tokens) and call.name != "aws"
    ):
        machine.emit(call, "uploads", host, " ".join(t for t in tokens[:20]))
    elif {"get", "mget", "-g", "-c"} & set(tokens) or call.name in ("ftpget", "ncftpget"):
        machine.emit(call, "downloads", host, call.option("-l"))
    elif host is not None and call.name in ("ftp", "lftp", "tftp"):
        machine.emit(call, "connects", host, call.name)
    return None


@handles("nc", "ncat", "netcat", "nc.traditional", "nc.openbsd", "telnet", "socat", "cryptcat", "rsh", "rlogin")
def netcat(machine: Machine, call: Call) -> Result:
    """`nc host port`, `nc -l port`, `socat TCP:host:port EXEC:...`."""
    address = sinks.endpoint(call.args)
    port = call.option("-p")
    if call.name == "socat":
        address = next(
            (a for a in call.args if a.text[:4].upper() in ("TCP:", "TCP4", "UDP:", "OPEN", "SSL:", "TCP6", "SOCK")),
            address,
        )
    elif address is None:
        words = call.operands("-w", "-e", "-c", "-p", "-s", "-x", "-X", "-i", "-q")
        address = Value(":".join(w.text for w in words[:2]), all(w.constant for w in words)) if words else port
    data = call.stdin
    if call.flag("z") and call.name != "socat" and address is not None:
        text = f":{address.text.rpartition(':')[2]}"
        machine.emit(call, "checks-running", text, f"{call.name} -z")
        return Result(conditions=(Condition("process", text, call.text[:200]),))
    listens = call.flag("l") if call.name != "socat" else "LISTEN" in call.text.upper()
    if address is not None:
        machine.emit(call, "connects", address, f"{call.name} -l" if listens else call.name)
    runs = (
        call.option("-e", "-c", "--exec", "--sh-exec")
        if call.name in ("nc", "ncat", "netcat", "nc.traditional", "nc.openbsd")
        else None
    )
    if runs is not None:
        machine.emit(call, "executes-code", "connection", f"{call.name} -e {runs.text}")
    elif call.name == "socat" and ("EXEC:" in call.text.upper() or "SYSTEM:" in call.text.upper()):
        machine.emit(call, "executes-code", "connection", "socat EXEC")
    elif (
        data is not None
        and data.has("file", "packed", "query", "accounts", "unpacked")
        and data.source is not None
        and not listens
    ):
        machine.emit(call, "uploads", address, data.source.object)
    return Result(unknown(f"$({call.text[:200]})", Source("connection", address.text if address else None, call.name)))


@handles("dig", "host", "nslookup", "drill", "kdig")
def name_query(machine: Machine, call: Call) -> Result | None:
    """A text record is fetched text, as a page is; other questions about names are not."""
    texts = [a.text.lower() for a in call.args]
    if not any(text in ("txt", "-type=txt", "-query=txt", "-q=txt", "-ttxt") for text in texts):
        return None
    name = next((a for a in call.args if "." in a.text and a.text[:1] not in "@-+"), None)
    machine.emit(call, "downloads", name, "TXT record")
    return Result(unknown(f"$({call.text[:200]})", Source("download", name.text if name else None, call.name)))


@handles("ssh", "autossh", "dbclient", "plink", "chisel", "frpc", "ngrok")
def ssh(machine: Machine, call: Call) -> Result:
    """A remote shell; -R and -D open tunnels."""
    words = call.operands(
        "-i", "-p", "-o", "-R", "-L", "-D", "-F", "-l", "-c", "-b", "-E", "-J", "-M", "-S", "-W", "-w", "-m"
    )
    tunnel = call.option("-R", "-D", "-L")
    port = call.option("-p")
    if words:
        host = words[0].text + (f":{port.text}" if port is not None else "")
        kind = f"{call.name} tunnel {tunnel.text}" if tunnel is not None else call.name
        machine.emit(call, "connects", Value(host, words[0].constant), kind)
    return Result(unknown(f"$({call.text[:200]})"))
