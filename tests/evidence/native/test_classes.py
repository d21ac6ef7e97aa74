"""The compiled look at zip directories says what Python says, and nothing else."""

from __future__ import annotations

import random
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hinomi.evidence.archives.kinds import is_old_tar, sniff
from hinomi.evidence.archives.memory import SECRET, Memory
from hinomi.evidence.archives.recognise import MEANINGFUL, is_program
from hinomi.evidence.archives.source import BytesSource, FileSource
from hinomi.evidence.archives.zips import ZipReader
from hinomi.evidence.java.metadata import ENDINGS
from hinomi.evidence.java.traits import WORDS
from hinomi.evidence.native import compiled


@pytest.fixture
def classes(monkeypatch):
    monkeypatch.delenv("HINOMI_PURE", raising=False)
    module = compiled("classes")
    if module is None:
        pytest.skip("the compiled core is not built here")
    return module


def flipped(data, chance, most=4):
    out = bytearray(data)
    for _ in range(chance.randint(1, most)):
        out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
    return bytes(out)


def test_fingerprints_tell_contents_apart(classes):
    secret = bytes(range(256)) * 4 + bytes(16)
    assert len(secret) == SECRET
    chance = random.Random(1)
    data = chance.randbytes(5000)
    others = [data[:-1], data + b"\0", data[1:], b"", *(flipped(data, chance, 1) for _ in range(50))]
    found = {classes.fingerprint(memoryview(sample), secret) for sample in [data, *others]}
    assert len(found) == len({data, *others})
    assert classes.fingerprint(memoryview(data), secret) != classes.fingerprint(memoryview(data), bytes(SECRET))
    with pytest.raises(ValueError):
        classes.fingerprint(memoryview(data), b"short")


def known_of(memory):
    return memory.secret, memory.table, WORDS, ENDINGS, MEANINGFUL


def survey(classes, data, memory):
    reader, found = ZipReader(BytesSource(data)), []
    while (step := reader.survey(classes.survey, 1000, known_of(memory))) is not None:
        found += step.open
    return found, list(reader.entries())


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_only_classes_with_a_word_are_left(classes, java, method):
    plain = {f"a/B{n}.class": java.java_class(f"a/B{n}", [f"text {n}"] * 9) for n in range(50)}
    members = (
        plain | java.core_members("jdbc") | {"long.class": java.java_class("long", ["x" * 60_000, WORDS[0].decode()])}
    )
    found, rest = survey(classes, java.jar(members, method), Memory())
    assert rest == []
    names = {entry.name.rsplit(b"/", 1)[-1] for entry, _ in found}
    assert names == {b"JndiManager.class", b"JndiLookup.class", b"long.class"}


def test_heads_come_with_deflated_members_that_may_be_something(classes, java):
    members = {
        "a.txt": b"My text " * 200,
        "b.txt": b"#! short" * 9,
        "z": bytes(9999),
        "META-INF/MANIFEST.MF": b"text of which the name tells " * 9,
        "old.tar": b"x" * 148 + b"0012345\0" + b"x" * 900,
        "new.tar": b"x" * 257 + b"ustar" + b"x" * 900,
    }
    found, _ = survey(classes, java.jar(members), Memory())
    assert [(entry.name.decode(), head and head[:5]) for entry, head in found] == [
        ("a.txt", b"My te"),
        ("b.txt", b"#! sh"),
        ("z", None),
        ("META-INF/MANIFEST.MF", b"text "),
        ("old.tar", b"xxxxx"),
        ("new.tar", b"xxxxx"),
    ]
    assert [len(head or b"") for _, head in found] == [512, 72, 0, 261, 512, 512]


def test_members_that_are_nothing_are_settled(classes, java):
    texts = {f"{n}.txt": bytes([n]) + b"some text " * size for n in range(1, 256) for size in (10, 200)}
    found, rest = survey(classes, java.jar(texts), Memory())
    assert {head[0] for _, head in found} == {n for n in range(1, 256) if MEANINGFUL[n]} and rest == []


PREFIXES = [word[:end] for word in WORDS for end in (1, 2, len(word) - 1)]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.sampled_from([*WORDS, b"ab", b"a", b"abab", b"b" * 300]), max_size=8),
    text=st.lists(st.sampled_from([*WORDS, *PREFIXES, b"a", b"b", b"x" * 40]), max_size=9).map(b"".join),
)
def test_words_are_found_wherever_they_stand(classes, java, words, text):
    content = java.java_class("Q", ["z" * 40, text.decode()])
    memory, reader = Memory(), ZipReader(BytesSource(java.jar({"C.class": content})))
    step = reader.survey(classes.survey, 9, (memory.secret, memory.table, tuple(words), ENDINGS, MEANINGFUL))
    assert bool(step.open) == any(word in content for word in words)


@settings(deadline=None)
@given(
    head=st.binary(max_size=600), first=st.integers(0, 255), checksum=st.sampled_from([b"", b"0001234\0", b"0000000 "])
)
def test_what_is_settled_is_nothing_in_python_too(head, first, checksum):
    head = bytes([first]) + head[:147].ljust(147, b"x") + checksum + head[147:] if checksum else bytes([first]) + head
    if not MEANINGFUL[first] and head[257:262] != b"ustar" and not is_old_tar(head[:512]):
        assert sniff(head[:512]) is None and not is_program(head[:512])


def test_arguments_that_make_no_sense_are_refused(classes, java):
    data = memoryview(java.jar({"a.class": java.java_class("a", ["x" * 40])}))
    table, good = memoryview(bytearray(64)), bytes(SECRET)
    whole = (data, 0, len(data), bytes(data), 0, (0, 0, 1), 9, 1 << 20, good, table, WORDS, ENDINGS, MEANINGFUL)
    assert classes.survey(*whole)[1] == 0  # it begins with a local header: no record of a directory
    for place, value in (
        (1, -1),
        (1, 1),
        (2, len(data) - 1),
        (2, 1 << 62),
        (4, 1 << 62),
        (5, (-1, 0, 1)),
        (8, b"short"),
        (9, memoryview(bytearray(4))),
        (10, (b"w",) * 33),
        (11, (b"w",) * 33),
        (12, MEANINGFUL[1:]),
    ):
        with pytest.raises(ValueError):
            classes.survey(*whole[:place], value, *whole[place + 1 :])
    assert classes.survey(*whole[:3], b"", 0, (1 << 40, 0, 1), *whole[6:])[1] == 0


def told(libraries, files, monkeypatch, pure):
    monkeypatch.setenv("HINOMI_PURE", pure)
    rows, coverage = libraries.scan(files)
    return rows, sorted((m.subject, m.reason, m.detail) for m in coverage.misses)


@pytest.mark.parametrize("seed", range(12))
def test_damaged_archives_give_the_same_answers(classes, java, libraries, monkeypatch, seed):
    chance = random.Random(seed)
    members = (
        java.core_members(chance.choice(["open", "jdbc", "beta"])) | java.pom("2.14.1") | {"x.txt": b"text " * 300}
    )
    for n in range(8):
        members[f"a/B{n}.class"] = java.java_class(f"a/B{n}", [chance.randbytes(8).hex()] * 5) + chance.randbytes(1500)
    jar = java.jar(members, chance.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    war = java.jar({"lib/x": jar, "b.txt": b"b" * 900}, chance.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    files = {"/a": jar, "/b": war}
    for n in range(25):
        for name, data in (("j", jar), ("w", war)):
            files[f"/{name}{n}"] = flipped(data, chance, 30) if n % 5 else data[: chance.randrange(len(data))]
    compiled_answer = told(libraries, files, monkeypatch, "0")
    assert compiled_answer == told(libraries, files, monkeypatch, "1")
    assert len(compiled_answer[0]) > 10


def test_a_class_is_decided_by_its_pool_whatever_follows(core, java, libraries):
    chance = random.Random(5)
    members = {"a.class": java.java_class("a", ["text"] * 30) + chance.randbytes(30_000)} | java.core_members("open")
    data = java.jar(members)
    at = data.index(b"a.class") + 7 + 20_000
    rows, coverage = libraries.scan(data[:at] + b"\xff" * 300 + data[at + 300 :])
    assert [row.state for row in rows] == ["vulnerable"] and coverage.complete


@pytest.mark.parametrize("suffix", [".class", ".classdata", ".bin"])
def test_the_same_class_counts_in_every_archive(core, java, libraries, suffix):
    members = java.core_members("open", suffix=suffix)
    files = {f"/{n}.jar": java.jar({**members, f"own{n}.txt": b"own text " * 9 + str(n).encode()}) for n in range(3)}
    rows, _ = libraries.scan(files)
    assert [row.state for row in rows] == ["vulnerable"] * 3


def test_metadata_counts_where_the_same_bytes_have_another_name(core, java, libraries):
    (pom,) = java.pom("1.0", "org.acme", "tool").values()
    members = {"/a": {"copy.txt": pom}, "/b": java.pom("1.0", "org.acme", "tool")}
    rows, _ = libraries.scan({path: java.jar(inside) for path, inside in members.items()})
    assert [row.path for row in rows] == ["/b"]


def test_the_same_metadata_counts_in_every_archive(core, java, libraries):
    files = {f"/{n}": java.jar(java.pom("1.0", "org.acme", "tool") | {f"{n}.txt": b"x" * 50}) for n in range(3)}
    assert len(libraries.scan(files)[0]) == 3


def test_an_archive_on_disk_is_looked_at_part_by_part(classes, java, tmp_path):
    chance = random.Random(7)
    members = {
        f"a/B{n}.class": java.java_class(f"a/B{n}", [f"text {n}"] * 9) + chance.randbytes(9000) for n in range(90)
    }
    members |= java.core_members("open") | {"big.bin": chance.randbytes(700_000)} | {"z.txt": b"text " * 300}
    path = tmp_path / "archive"
    path.write_bytes(b"something before it" + java.jar(members, zipfile.ZIP_STORED))
    with path.open("rb") as file:
        reader, memory, found = ZipReader(FileSource(file)), Memory(), []
        while (step := reader.survey(classes.survey, 1000, known_of(memory))) is not None:
            found += step.open
        assert list(reader.entries()) == [] and reader.problem is None
    assert found == survey(classes, path.read_bytes(), Memory())[0]
    assert {entry.name.rsplit(b"/", 1)[-1] for entry, _ in found} == {
        b"JndiManager.class", b"JndiLookup.class", b"big.bin", b"z.txt",
    }  # fmt: skip


def test_members_in_any_order_are_found_on_disk(classes, java, tmp_path):
    members = java.core_members("open") | {f"{n}.class": java.java_class(f"C{n}", ["x" * 60_000]) for n in range(30)}
    data = java.jar(members, zipfile.ZIP_STORED)
    directory = data.index(b"PK\x01\x02")
    end = data.rindex(b"PK\x05\x06")
    records = [b"PK\x01\x02" + part for part in data[directory:end].split(b"PK\x01\x02")[1:]]
    path = tmp_path / "archive"
    path.write_bytes(data[:directory] + b"".join(reversed(records)) + data[end:])
    with path.open("rb") as file:
        reader, memory, names = ZipReader(FileSource(file)), Memory(), []
        while (step := reader.survey(classes.survey, 1000, known_of(memory))) is not None:
            names += [entry.name.rsplit(b"/", 1)[-1] for entry, _ in step.open]
        assert [*reader.entries(), *reader.hidden()] == []
    assert sorted(names) == [b"JndiLookup.class", b"JndiManager.class"]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_class_of_no_interest_is_settled_under_any_name(classes, java, method):
    plain = java.java_class("a/B", ["text"] * 90)
    old = plain[:6] + b"\0\x01" + plain[8:]
    jar = java.jar({"B.sig": plain, "C.sig": old} | java.core_members("open", suffix=".sig"), method)
    names = {entry.name.rsplit(b"/", 1)[-1] for entry, _ in survey(classes, jar, Memory())[0]}
    assert names == {b"C.sig", b"JndiManager.sig", b"JndiLookup.sig"}
