"""The bundled replica: the same bytes for a seed, other names for another, sound formats, nothing that runs."""

from __future__ import annotations

import io
from importlib.resources import files

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.detect.inert import elf, macho, pe
from hinomi.evidence.content_types import MACHO, PE
from hinomi.evidence.scripts import analyse
from hinomi.examples.names import names
from hinomi.examples.replica import build_clean_appliance, build_replica, compromised_tree, vendor_tree

_WORDS = st.lists(st.from_regex(r"[a-z/_.]{1,30}", fullmatch=True), max_size=8)


def test_a_seed_gives_the_same_bytes_and_another_seed_other_names() -> None:
    assert compromised_tree(4) == compromised_tree(4)
    first, second = names(4), names(5)
    assert {first.main, first.twin, first.hook, first.account}.isdisjoint(
        {second.main, second.twin, second.hook, second.account}
    )


def test_the_replica_is_the_vendors_system_and_more(tmp_path) -> None:
    build_replica(tmp_path / "bad", 2)
    build_clean_appliance(tmp_path / "good", 2)
    good = {p.relative_to(tmp_path / "good") for p in (tmp_path / "good").rglob("*")}
    bad = {p.relative_to(tmp_path / "bad") for p in (tmp_path / "bad").rglob("*")}
    assert good < bad


@pytest.mark.parametrize("seed", range(0, 21, 4))
def test_every_script_is_sound_shell(seed: int) -> None:
    scripts = {path: data for path, (data, _) in compromised_tree(seed).items() if data.startswith(b"#!")}
    assert len(scripts) >= 6
    assert {path for path, data in scripts.items() if analyse(path, data).script.parse_errors} == set()


@pytest.mark.parametrize("seed", [0, 9])
def test_every_program_ends_at_once(seed: int) -> None:
    programs = [data for data, _ in compromised_tree(seed).values() if data.startswith(b"\x7fELF")]
    assert len(programs) >= 10
    for program in programs:
        text = ELFFile(io.BytesIO(program)).get_section_by_name(".text")
        assert text.data() == b"\x31\xff\xb8\x3c\x00\x00\x00\x0f\x05"  # exit(0), nothing else


def test_the_vendors_account_file_has_one_root() -> None:
    passwd = vendor_tree(names(0))["/etc/passwd"][0].decode()
    assert [line.split(":")[0] for line in passwd.splitlines() if line.split(":")[2] == "0"] == ["root"]


@given(strings=_WORDS, imports=_WORDS)
@settings(max_examples=30, deadline=None, derandomize=True)
def test_any_strings_and_imports_make_a_readable_elf(strings: list[str], imports: list[str]) -> None:
    data = elf(strings, imports=imports)
    read = ELFFile(io.BytesIO(data))
    assert all(s.encode() + b"\0" in read.get_section_by_name(".rodata").data() for s in strings)
    if imports:
        assert [s.name for s in read.get_section_by_name(".dynsym").iter_symbols()][1:] == imports


def test_the_other_formats_are_what_they_say() -> None:
    from hinomi.evidence.content_types import content_type

    assert content_type(pe(["x"])) == PE
    assert content_type(macho(["x"])) == content_type(macho(["x"], fat=True)) == MACHO


@pytest.mark.parametrize(("language", "fixed"), [("ja", "2.17.1(Java 8以降)"), ("en", "2.17.1 on Java 8")])
def test_the_bundled_reports_name_the_replicas_things(language: str, fixed: str) -> None:
    text = files("hinomi.examples").joinpath(f"reports/{language}.txt").read_text("utf-8")
    chosen = names(0)
    wanted = (
        chosen.main,
        chosen.twin,
        chosen.helper,
        chosen.hook,
        chosen.vendor,
        chosen.account,
        chosen.firmware,
        chosen.loot,
    )
    assert [name for name in (*wanted, fixed, "10.2.1.7", "198.51.100[.]77") if name not in text] == []
