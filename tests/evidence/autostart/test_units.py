from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.autostart.mechanisms.systemd import bare
from hinomi.evidence.autostart.site import Site
from hinomi.evidence.autostart.units import SYSTEM_FOLDERS, UnitFolders, parse_unit
from hinomi.evidence.sources.memory import MemoryFile, memory_target
from hinomi.model.findings import Coverage


def units(files: dict):
    return UnitFolders(Site(memory_target(files), Coverage()), SYSTEM_FOLDERS).units()


def test_an_earlier_folder_wins_and_dev_null_masks() -> None:
    found = units(
        {
            "/usr/lib/systemd/system/a.service": "[Service]\nExecStart=/vendor\n",
            "/etc/systemd/system/a.service": "[Service]\nExecStart=/mine\n",
            "/usr/lib/systemd/system/b.service": "[Service]\nExecStart=/b\n",
            "/etc/systemd/system/b.service": MemoryFile(link=b"/dev/null"),
            "/usr/lib/systemd/system/c.service": "[Service]\nExecStart=/c\n",
            "/run/systemd/system/c.service": b"",
        }
    )
    assert sorted(found) == ["a.service"]
    assert found["a.service"].first("Service", "ExecStart") == "/mine"


def test_merged_usr_counts_once_and_aliases_are_no_units() -> None:
    found = units(
        {
            "/lib": MemoryFile(link=b"usr/lib"),
            "/usr/lib/systemd/system/a.service": "[Service]\nExecStart=/a\n[Install]\nWantedBy=x\n",
            "/etc/systemd/system/alias.service": MemoryFile(link=b"/usr/lib/systemd/system/a.service"),
            "/etc/systemd/system/linked.service": MemoryFile(link=b"/opt/linked.service"),
            "/opt/linked.service": "[Service]\nExecStart=/opt/l\n",
        }
    )
    assert {name: unit.path for name, unit in found.items()} == {
        "a.service": b"/usr/lib/systemd/system/a.service",
        "linked.service": b"/etc/systemd/system/linked.service",
    }


def test_enabled_by_links_also_for_templates() -> None:
    body = "[Service]\nExecStart=/x\n[Install]\nWantedBy=multi-user.target\n"
    found = units(
        {
            "/usr/lib/systemd/system/on.service": body,
            "/usr/lib/systemd/system/off.service": body,
            "/usr/lib/systemd/system/static.service": "[Service]\nExecStart=/x\n",
            "/usr/lib/systemd/system/t@.service": body,
            "/etc/systemd/system/multi-user.target.wants/on.service": MemoryFile(
                link=b"/usr/lib/systemd/system/on.service"
            ),
            "/etc/systemd/system/multi-user.target.wants/t@1.service": MemoryFile(
                link=b"/usr/lib/systemd/system/t@.service"
            ),
        }
    )
    assert {name: unit.enabled for name, unit in found.items()} == {
        "on.service": True, "off.service": False, "static.service": None, "t@.service": True,
    }  # fmt: skip


def test_drop_ins_clear_and_add() -> None:
    unit = units(
        {
            "/usr/lib/systemd/system/a.service": "[Service]\nExecStart=/old\nUser=u\n",
            "/etc/systemd/system/a.service.d/x.conf": "[Service]\nExecStart=\nExecStart=/new\n",
            "/etc/systemd/system/service.d/all.conf": "[Service]\nExecStartPre=/pre\n",
        }
    )["a.service"]
    starts = [(s.path, s.line, s.value) for s in unit.settings if s.key == "ExecStart" and s.value]
    assert starts == [(b"/etc/systemd/system/a.service.d/x.conf", 3, "/new")]
    assert unit.first("Service", "ExecStartPre") == "/pre"


def test_continuations_and_comments() -> None:
    text = "# c\n[Service]\n; c\nExecStart=/a \\\n  -b\nNoEquals\n=x\n"
    assert [(s.line, s.section, s.key, s.value) for s in parse_unit(b"/u", text)] == [
        (4, "Service", "ExecStart", "/a -b")
    ]


def test_prefixes_and_specifiers() -> None:
    assert bare("-/a b", None) == "/a b"
    assert bare("@/a argv0 b", None) == "/a b"
    assert bare("+!/a", None) == "/a"
    assert bare("%h/x 100%%", b"/home/u") == "/home/u/x 100%"


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text("[]=\\\n;# ExecStart/ab\0", max_size=300))
def test_any_text_is_a_unit(text: str) -> None:
    for setting in parse_unit(b"/u", text):
        assert setting.key
        bare(setting.value, b"/h")
