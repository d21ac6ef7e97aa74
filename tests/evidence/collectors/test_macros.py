import io

import pytest

from hinomi.evidence.collectors.macros import COLLECTOR
from hinomi.evidence.sources.memory import memory_target
from hinomi.model.errors import ParseError
from hinomi.model.findings import Coverage
from hinomi.model.tables.software import Macro

DROPPER = (
    "Sub Auto_Open()\r\n"
    '  f = CreateObject("WScript.Shell").SpecialFolders("Start" & "up") & "\\" & n\r\n'
    "  Open f For Binary As #1\r\n  Put #1, , b\r\nEnd Sub"
)


class Content:
    """A file as the pipeline hands it over."""

    def __init__(self, target, path: bytes) -> None:
        self.entry = target.view.entry(path)
        self.data = target.view.read(path, 1 << 30)
        self.head = self.data[:4096]
        self.sha256 = ""
        self.content_type = ""

    def read(self, limit: int) -> bytes:
        return self.data[:limit]

    def open(self):
        return io.BytesIO(self.data)


def examine(data: bytes, path: str = "/home/u/見積書.xlsx") -> tuple[list[Macro], Coverage, bool]:
    target = memory_target({path: data})
    content = Content(target, path.encode())
    coverage = Coverage()
    wanted = COLLECTOR.wants(content.entry, content.head)
    return list(COLLECTOR.examine(content, target, coverage)) if wanted else [], coverage, wanted


def test_a_dropper_under_another_name(office) -> None:
    rows, coverage, _ = examine(office.xlsm({"ThisWorkbook": DROPPER}))
    assert coverage.complete
    assert [(r.path, r.module, r.kind) for r in rows] == [("/home/u/見積書.xlsx", "ThisWorkbook", "vba")]
    row = rows[0]
    assert row.auto_run == ["Auto_Open"]
    assert row.writes == ["Open For Output", "Put"]
    assert row.executes == ["WScript.Shell"]
    assert row.startup_folder


def test_a_project_alone(office) -> None:
    rows, _, _ = examine(office.vba_project({"Module1": "Sub A()\r\nEnd Sub"}), "/tmp/x.bin")
    assert [(r.module, r.lines, r.auto_run) for r in rows] == [("Module1", 2, [])]


def test_a_locked_document_is_said(office) -> None:
    rows, coverage, _ = examine(office.ole_file({"EncryptedPackage": b"x"}))
    assert rows == []
    assert [(m.area, m.reason) for m in coverage.misses] == [("macros", "encrypted")]


def test_a_module_without_text_is_said(office) -> None:
    streams = office.vba_streams({"M": DROPPER})
    streams["VBA/M"] = b"compiled only"
    rows, coverage, _ = examine(office.ole_file(streams))
    assert [(r.module, r.lines) for r in rows] == [("M", 0)]
    assert [(m.subject, m.reason) for m in coverage.misses] == [("/home/u/見積書.xlsx » M", "no-source")]


@pytest.mark.parametrize("data", [b"", b"hello", b"\x7fELF", b"PK\x03\x04" + b"\0" * 26 + b"META-INF/MANIFEST.MF"])
def test_other_files_are_left_alone(data: bytes) -> None:
    assert not examine(data)[2]


def test_damage_is_our_error(office) -> None:
    with pytest.raises(ParseError):
        examine(office.vba_project({"M": DROPPER})[:700])


def test_too_large_is_said(office) -> None:
    from dataclasses import replace

    target = memory_target({"/a.xlsm": office.xlsm({"M": DROPPER})})
    target = replace(target, limits=replace(target.limits, max_parse_size=100))
    coverage = Coverage()
    assert list(COLLECTOR.examine(Content(target, b"/a.xlsm"), target, coverage)) == []
    assert [m.reason for m in coverage.misses] == ["too-large"]
