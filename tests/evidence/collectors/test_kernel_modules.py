"""The kernel's lists as files: no test loads a module."""

import os
from pathlib import Path

import pytest

from hinomi.evidence.collectors.kernel_modules import COLLECTOR, kernel_modules
from hinomi.evidence.process import modules
from hinomi.evidence.sources.memory import memory_target
from hinomi.model.findings import Coverage
from hinomi.model.tables.processes import KernelModule

TARGET = memory_target({"/etc/passwd": ""})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/modules").write_text(
        "nf_tables 311296 1 nft_chain_nat, Live 0xffffffffc0a00000\n"
        "vendorfs 16384 0 - Live 0xffffffffc0b00000 (OE)\n"
        "nft_chain_nat 16384 3 - Live 0xffffffffc0c00000\n"
    )
    (tmp_path / "proc/kallsyms").write_text(
        "ffffffff81000000 T _stext\nffffffffc0a00010 t nft_do_chain\t[nf_tables]\n"
        "ffffffffc0d00000 t bpf_prog_6deef7357e7b4530\t[bpf]\nffffffffc0e00000 t ftrace_trampoline\t[__builtin__ftrace]\n"
    )
    for name in ("nf_tables", "vendorfs", "nft_chain_nat"):
        folder = tmp_path / "sys/module" / name
        folder.mkdir(parents=True)
        (folder / "initstate").write_text("live\n")
    (tmp_path / "sys/module/tcp_cubic/parameters").mkdir(parents=True)  # built in
    folder = tmp_path / "lib/modules" / os.uname().release
    folder.mkdir(parents=True)
    (folder / "modules.dep").write_text("kernel/net/netfilter/nf_tables.ko.xz: kernel/net/nfnetlink.ko.xz\n")
    return tmp_path


def rows(root: Path, coverage: Coverage | None = None) -> dict[str, KernelModule]:
    found = kernel_modules(TARGET, coverage or Coverage(), os.fsencode(root), lambda seconds: None)
    return {row.name: row for row in found}


def test_honest_lists_agree(root: Path) -> None:
    coverage = Coverage()
    found = rows(root, coverage)
    assert list(found) == ["nf_tables", "nft_chain_nat", "vendorfs"]
    assert all(row.hidden_from == [] for row in found.values())
    assert found["nf_tables"].views == ["modules", "sysfs", "symbols"] and found["nf_tables"].users == ["nft_chain_nat"]
    assert found["nf_tables"].path == f"/lib/modules/{os.uname().release}/kernel/net/netfilter/nf_tables.ko.xz"
    assert found["vendorfs"].taint == "OE" and found["vendorfs"].path is None
    assert coverage.complete and coverage.examined["kernel-modules"] == 3


def test_a_module_off_the_list_shows_in_the_others(root: Path) -> None:
    folder = root / "sys/module/lodger"
    folder.mkdir()
    (folder / "initstate").write_text("live\n")
    with (root / "proc/kallsyms").open("a") as file:
        file.write("ffffffffc0f00000 t hide\t[tenant]\n")
    found = rows(root)
    assert (found["lodger"].views, found["lodger"].hidden_from) == (["sysfs"], ["modules"])
    assert (found["tenant"].views, found["tenant"].hidden_from) == (["symbols"], ["modules", "sysfs"])


def test_a_module_that_is_just_being_loaded_does_not_hide(root: Path) -> None:
    folder = root / "sys/module/late"
    folder.mkdir()
    (folder / "initstate").write_text("coming\n")
    assert rows(root)["late"].hidden_from == []


def test_a_module_that_has_gone_at_the_second_look_does_not_hide(root: Path) -> None:
    folder = root / "sys/module/brief"
    folder.mkdir()
    (folder / "initstate").write_text("live\n")

    def unload(seconds: float) -> None:
        (folder / "initstate").unlink()
        folder.rmdir()

    found = {r.name: r for r in kernel_modules(TARGET, Coverage(), os.fsencode(root), unload)}
    assert found["brief"].hidden_from == []


def test_functions_that_a_module_redirects(root: Path) -> None:
    tracing = root / "sys/kernel/tracing"
    tracing.mkdir(parents=True)
    (tracing / "available_filter_functions").write_text("vfs_read\nnft_do_chain [nf_tables]\nwork [guest]\n")
    (tracing / "enabled_functions").write_text(
        "__x64_sys_getdents64 (1) R I     \ttramp: 0xffffffffc0602000 (thunk+0x0/0x30 [guest]) ->ftrace_ops_assist\n"
        "vfs_read (1)            \tdirect-->bpf_trampoline_6442536467+0x0/0x10\n"
        "schedule (1) R\ttramp: 0xffffffffc0603000 (kprobe_ftrace_handler+0x0/0x1c0) ->kprobe [kprobes]\n"
    )
    found = rows(root)
    assert found["guest"].hooks == ["__x64_sys_getdents64"] and found["guest"].hidden_from == ["modules", "sysfs"]
    assert set(found) == {"nf_tables", "nft_chain_nat", "vendorfs", "guest"}


def test_a_kernel_without_modules(tmp_path: Path) -> None:
    coverage = Coverage()
    assert rows(tmp_path, coverage) == {}
    assert coverage.complete and coverage.skipped["kernel-without-modules"] == 1


def test_this_kernel_hides_none() -> None:
    found = list(kernel_modules(TARGET, Coverage()))
    assert [row.name for row in found if row.hidden_from] == []
    assert bool(found) == bool(modules.loadable() and Path("/proc/modules").read_bytes())


def test_only_live_targets_have_modules() -> None:
    assert list(COLLECTOR.collect(TARGET, Coverage())) == []
