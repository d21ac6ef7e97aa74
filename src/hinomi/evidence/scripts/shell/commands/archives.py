"""Unpacking and repacking: compressors, archives, file-system images, in files and in pipes."""

from __future__ import annotations

from hinomi.evidence.scripts.shell import sinks
from hinomi.evidence.scripts.shell.commands.processes import found_running
from hinomi.evidence.scripts.shell.commands.text import base64_text
from hinomi.evidence.scripts.shell.core import Call, Machine, Result
from hinomi.evidence.scripts.shell.registry import handles
from hinomi.evidence.scripts.shell.simple import again
from hinomi.evidence.scripts.values import Source, Value, unknown

_SUFFIX = {
    "gzip": ".gz", "pigz": ".gz", "bzip2": ".bz2", "pbzip2": ".bz2", "xz": ".xz", "lzma": ".lzma", "zstd": ".zst",
    "lz4": ".lz4",
    "lzop": ".lzo", "compress": ".Z", "brotli": ".br", "pixz": ".xz", "lzip": ".lz", "zopfli": ".gz",
}  # fmt: skip
_UNPACKERS = {
    "gunzip": "gzip", "zcat": "gzip", "gzcat": "gzip", "unpigz": "gzip", "bunzip2": "bzip2", "bzcat": "bzip2",
    "unxz": "xz", "xzcat": "xz",
    "unlzma": "lzma", "lzcat": "lzma", "unzstd": "zstd", "zstdcat": "zstd", "unlz4": "lz4", "lz4cat": "lz4",
    "uncompress": "compress", "lunzip": "lzip",
}  # fmt: skip


def _unpacked(
    machine: Machine, call: Call, archive: Value | None, tool: str, target: Value | str | None = None
) -> Result:
    """Record an unpacking of a file, or of what comes in through the pipe."""
    data = call.stdin
    if archive is None and data is not None and data.has("file", "download", "unpacked") and data.source is not None:
        archive = Value(data.source.object or "", data.source.kind == "file")
    if archive is None and data is not None and data.source is not None and data.source.kind == "decoded":
        return Result(data)
    full = machine.env.resolve(archive) if archive is not None else None
    into = target.text if isinstance(target, Value) else target
    machine.emit(call, "unpacks", full, f"{tool} {into}" if into else tool)
    name = full.text if full is not None else "$(stdin)"
    return Result(unknown(f"$({call.text[:200]})", Source("unpacked", name, tool)))


def _packed(machine: Machine, call: Call, made: Value | None, tool: str, source: str | None) -> Result:
    """Record a packing into a file; into a pipe it is recorded where the pipe ends."""
    if made is not None and made.text not in ("-", "/dev/stdout"):
        machine.emit_path(call, "repacks", made, f"{tool} {source or ''}".strip())
        return Result()
    return Result(unknown(f"$({call.text[:200]})", Source("packed", source, tool)))


@handles(*_SUFFIX)
def compressor(machine: Machine, call: Call) -> Result:
    """`gzip file`, `gzip -d file`, `... | gzip > file`."""
    suffix = _SUFFIX[call.name]
    words = [
        w for w in call.operands("-S", "-o", "--suffix", "-T", "--threads", "-M", "-C", "-b", "-p") if w.text != "-"
    ]
    decompress = call.flag("d", "--decompress", "--uncompress")
    if call.flag("t", "--test", "--list") or (call.flag("l") and not decompress):
        return Result()
    if decompress:
        return _decompress(machine, call, words, call.name, suffix)
    stdout = call.flag("c", "--stdout", "--to-stdout")
    if not words:
        return _through(call)
    output = call.option("-o")
    for word in words[:20]:
        made = output if output is not None else None if stdout else Value(word.text + suffix, word.constant)
        result = _packed(machine, call, made, call.name, machine.env.resolve(word).text)
    return result


def _through(call: Call) -> Result:
    """Compress what comes in: an archive keeps what it is made of."""
    data = call.stdin
    source = data.source if data is not None else None
    if source is not None and source.kind in ("packed", "file", "unpacked"):
        tool = f"{source.tool}|{call.name}" if source.kind == "packed" else call.name
        return Result(unknown(f"$({call.text[:200]})", Source("packed", source.object, tool)))
    return Result(unknown(f"$({call.text[:200]})", Source("packed", None, call.name)))


def _decompress(machine: Machine, call: Call, words: list[Value], tool: str, suffix: str) -> Result:
    stdout = call.flag("c", "--stdout", "--to-stdout")
    output = call.option("-o")
    if not words:
        return _unpacked(machine, call, None, tool)
    result = Result()
    for word in words[:20]:
        lower, ending = word.text.lower(), suffix.lower()
        made = output.text if output is not None else word.text[: -len(suffix)] if lower.endswith(ending) else None
        result = _unpacked(machine, call, word, tool, None if stdout else made)
    return result if stdout else Result()


@handles(*_UNPACKERS)
def unpacker(machine: Machine, call: Call) -> Result:
    """`gunzip file`, `zcat file`."""
    tool = _UNPACKERS[call.name]
    words = [w for w in call.operands("-S", "-o", "-T") if w.text != "-"]
    if call.name.endswith("cat"):
        return _unpacked(machine, call, words[0] if words else None, tool)
    return _decompress(machine, call, words, tool, _SUFFIX[tool])


@handles("tar", "bsdtar", "gtar", "star")
def tar(machine: Machine, call: Call) -> Result:
    """`tar xf`, `tar -xzf`, `tar c`; the letters may come without a dash."""
    letters = "".join(o[1:] for o in call.options() if not o.startswith("--"))
    first = call.args[0].text if call.args and not call.args[0].text.startswith("-") else ""
    bundled = first if first and all(c in "cxtruAdvzjJZfpkmohPOSaW0123456789" for c in first) else ""
    letters += bundled
    longs = [o for o in call.options() if o.startswith("--")]
    archive = _archive(call, bundled)
    folder = call.option("-C", "--directory")
    if "x" in letters or {"--extract", "--get"} & set(longs):
        named = archive if archive is not None and archive.text != "-" else None
        return _unpacked(machine, call, named, "tar", folder)
    if "c" in letters or "r" in letters or "u" in letters or "--create" in longs:
        words = [w.text for w in call.operands("-f", "-C", "-T", "--file", "--directory", "--exclude", "-X")]
        inputs = [w for w in words if w != first or not bundled]
        inputs = [w for w in inputs if archive is None or w != archive.text]
        origin = " ".join(inputs) or (folder.text if folder is not None else "")
        return _packed(machine, call, archive, "tar", origin[:300] or None)
    return Result()


def _archive(call: Call, bundled: str) -> Value | None:
    if "f" in bundled:
        return call.args[1] if len(call.args) > 1 else None
    for index, arg in enumerate(call.args[:-1]):
        text = arg.text
        if text in ("--file",) or (text.startswith("-") and not text.startswith("--") and text.endswith("f")):
            return call.args[index + 1]
    return call.option("--file")


@handles("cpio", "pax")
def cpio(machine: Machine, call: Call) -> Result:
    """`cpio -i < a`, `find . | cpio -o -H newc > b`."""
    if call.flag("o", "--create") or (call.name == "pax" and call.flag("w")):
        made = call.option("-O", "-F", "--file", "-f")
        return _packed(machine, call, made, call.name, machine.env.cwd or _listed(call))
    if call.flag("i", "--extract") or (call.name == "pax" and call.flag("r")):
        return _unpacked(machine, call, call.option("-I", "-F", "--file"), call.name, machine.env.cwd)
    return Result()


def _listed(call: Call) -> str | None:
    source = call.stdin.source if call.stdin is not None else None
    return source.object if source is not None else None


@handles("find")
def find(machine: Machine, call: Call) -> Result:
    """A listing; -delete and -exec act on what it finds."""
    folder = machine.env.resolve(call.args[0]) if call.args and not call.args[0].text.startswith("-") else Value(".")
    texts = [a.text for a in call.args]
    link = call.option("-lname", "-ilname")
    if link is not None and folder.text.rstrip("/") == "/proc":  # which process was started from that file
        return found_running(machine, call, link, "/proc")
    named = call.option("-name", "-iname", "-path")
    found = unknown(f"{folder.text}/{named.text}" if named is not None else folder.text, Source("file", folder.text))
    if "-delete" in texts:
        sinks.removed(machine, call, found)
    for index, text in enumerate(texts):
        if text in ("-exec", "-execdir", "-ok"):
            words = call.args[index + 1 :]
            end = next((i for i, w in enumerate(words) if w.text in (";", "+", "\\;")), len(words))
            again(machine, call, [found if w.text == "{}" else w for w in words[:end]])
    return Result(unknown(f"$({call.text[:200]})", Source("file", folder.text)))


@handles("zip", "7z", "7za", "7zr", "7zz", "rar", "arj", "ar", "lha", "jar")
def archiver(machine: Machine, call: Call) -> Result:
    """Archivers with a verb (`7z x a`) or none (`zip a b`)."""
    words = call.operands("-P", "-x", "-i", "-n", "-b", "-C")
    texts = [w.text for w in words]
    if call.name == "zip":
        return _packed(machine, call, words[0] if words else None, "zip", " ".join(texts[1:])[:300] or None)
    if len(words) < 2:
        return Result()
    verb = texts[0].lstrip("-")
    if verb[:1] in ("x", "e", "p") and call.name != "ar":
        return _unpacked(machine, call, words[1], call.name)
    if verb[:1] in ("a", "u", "c", "m") and call.name not in ("ar", "jar"):
        return _packed(machine, call, words[1], call.name, " ".join(texts[2:])[:300] or None)
    return Result()


@handles(
    "unzip",
    "unrar",
    "unar",
    "unsquashfs",
    "sasquatch",
    "unlzx",
    "cabextract",
    "unace",
    "binwalk",
    "unblob",
    "dumpimage",
    "unmkinitramfs",
)
def extractor(machine: Machine, call: Call) -> Result:
    """Programs that only unpack."""
    if call.name == "binwalk" and not call.flag("e", "--extract"):
        return Result()
    words = call.operands("-d", "-x", "-P", "-dest", "-f", "-C", "-p", *(() if call.name == "unzip" else ("-o",)))
    if call.name == "unrar" and len(words) > 1:
        words = words[1:]
    return _unpacked(
        machine,
        call,
        words[0] if words else None,
        call.name,
        call.option("-d", "-dest", "-C", *(() if call.name == "unzip" else ("-o",))),
    )


@handles(
    "mksquashfs",
    "mkimage",
    "mkfs.cramfs",
    "mkcramfs",
    "genext2fs",
    "mkfs.jffs2",
    "mkfs.ubifs",
    "ubinize",
    "genisoimage",
    "mkisofs",
    "xorriso",
    "mkbootimg",
    "mkinitramfs_",
)
def image_maker(machine: Machine, call: Call) -> Result:
    """Programs that make an image of a folder."""
    words = call.operands("-d", "-A", "-O", "-T", "-C", "-n", "-a", "-e", "-comp", "-b", "-r", "-o", "--root", "-V")
    output = call.option("-o", "--output")
    made = output if output is not None else words[-1] if words else None
    source = call.option("-d", "-r", "--root")
    origin = source.text if source is not None else words[0].text if len(words) > 1 else None
    return _packed(machine, call, made, call.name, origin)


@handles("openssl")
def openssl(machine: Machine, call: Call) -> Result:
    """`openssl enc -d`, `openssl base64 -d`, `openssl s_client`."""
    verb = call.args[0].text if call.args else ""
    texts = [a.text for a in call.args]
    source, target = call.option("-in"), call.option("-out")
    if verb == "s_client":
        address = call.option("-connect", "-host")
        machine.emit(call, "connects", address, "openssl s_client")
        return Result(
            unknown("$(openssl s_client)", Source("connection", address.text if address else None, "openssl"))
        )
    if verb in ("base64",) or ("-base64" in texts and "-d" in texts and verb == "enc" and len(texts) < 6):
        return base64_text(machine, call) or Result()
    if verb in ("enc", "aes-256-cbc", "des3", "rc4", "smime", "cms") and ("-d" in texts or "-decrypt" in texts):
        return _unpacked(machine, call, source, "openssl", target)
    if verb == "enc" and target is not None:
        return _packed(machine, call, target, "openssl", source.text if source is not None else None)
    return Result(unknown(f"$({call.text[:200]})", call.stdin.source if call.stdin else None))
