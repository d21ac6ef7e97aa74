import contextlib
import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.office.documents import EncryptedDocumentError, _Budget, modules_of
from hinomi.evidence.office.xlm import auto_names, read_biff, sheet_meaning
from hinomi.model.errors import ParseError

DROPPER = 'Sub Workbook_Open()\r\n  CreateObject("WScript.Shell").Run "x"\r\nEnd Sub'


def read(data: bytes):
    return list(modules_of(io.BytesIO(data), data[:4096]))


def test_a_workbook_with_macros(office) -> None:
    modules = read(office.xlsm({"ThisWorkbook": DROPPER, "シート1": "Sub Calc()\r\nEnd Sub"}))
    assert [(m.part, m.name, m.kind) for m in modules] == [
        ("xl/vbaProject.bin", "ThisWorkbook", "vba"),
        ("xl/vbaProject.bin", "シート1", "vba"),
    ]
    assert modules[0].meaning.auto_run == ("Workbook_Open",)
    assert modules[0].meaning.executes == ("WScript.Shell",)
    assert modules[1].meaning.executes == ()


def test_the_project_is_found_under_any_name(office) -> None:
    data = office.ooxml({"word/document.xml": "<d/>", "word/media/image1.dat": office.vba_project({"M": DROPPER})})
    assert [(m.part, m.name) for m in read(data)] == [("word/media/image1.dat", "M")]


def test_an_old_document_keeps_its_project_in_a_storage(office) -> None:
    streams = office.vba_streams({"ThisDocument": "Sub AutoOpen()\r\nEnd Sub"}, folder="Macros/VBA")
    modules = read(office.ole_file({"WordDocument": b"x", **streams}))
    assert [(m.name, m.meaning.auto_run) for m in modules] == [("ThisDocument", ("AutoOpen",))]


def test_modules_survive_a_damaged_directory(office) -> None:
    streams = office.vba_streams({"M": DROPPER})
    streams["VBA/dir"] = b"\x00" * 200
    assert [(m.name, m.meaning.auto_run) for m in read(office.ole_file(streams))] == [("M", ("Workbook_Open",))]


def test_modules_survive_a_lying_offset(office) -> None:
    streams = office.vba_streams({"M": DROPPER})
    streams["VBA/M"] = b"\xcc" * 100 + streams["VBA/M"][32:]
    assert [m.meaning.auto_run for m in read(office.ole_file(streams))] == [("Workbook_Open",)]


def test_documents_without_macros_give_nothing(office) -> None:
    assert read(office.ooxml({"word/document.xml": "<d/>"})) == []
    assert read(office.ole_file({"WordDocument": b"text"})) == []


def test_an_ordinary_archive_gives_nothing(office) -> None:
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.bin", office.vba_project({"M": DROPPER}))
    assert read(buffer.getvalue()) == []


def test_a_password_is_told(office) -> None:
    with pytest.raises(EncryptedDocumentError):
        read(office.ole_file({"EncryptionInfo": b"x", "EncryptedPackage": b"y"}))
    workbook = struct.pack("<HH4s", 0x809, 4, b"\0\6\5\0") + struct.pack("<HH6s", 0x2F, 6, b"\1\0\0\0\0\0")
    with pytest.raises(EncryptedDocumentError):
        read(office.ole_file({"Workbook": workbook}))


def test_macro_sheets_of_a_workbook(office) -> None:
    sheet = (
        '<xm:macrosheet><c r="A1"><f>EXEC("c"&amp;"alc")</f></c><c>'
        '<f>=CALL("urlmon","URLDownloadToFileA")</f></c></xm:macrosheet>'
    )
    names = (
        '<workbook><definedNames><definedName name="_xlnm.Auto_Open" '
        'hidden="1">m!$A$1</definedName></definedNames></workbook>'
    )
    modules = read(office.ooxml({"xl/workbook.xml": names, "xl/macrosheets/sheet1.xml": sheet}))
    assert [(m.name, m.kind, m.meaning.auto_run) for m in modules] == [("sheet1.xml", "xlm", ("Auto_Open",))]
    assert modules[0].meaning.executes == ("EXEC", "CALL")
    assert modules[0].meaning.downloads == ("URL",)


def test_macro_sheets_of_an_old_workbook(office) -> None:
    name = b"Macro1"
    sheet = struct.pack("<IBBBB", 0, 1, 1, len(name), 0) + name
    label = struct.pack("<HBBHHHBBBBB", 0x20, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0) + b"\x01"
    workbook = b"".join(
        struct.pack("<HH", k, len(b)) + b for k, b in ((0x809, b"\0" * 16), (0x85, sheet), (0x18, label), (0x0A, b""))
    )
    modules = read(office.ole_file({"Workbook": workbook}))
    assert [(m.name, m.kind, m.meaning.auto_run) for m in modules] == [("Macro1", "xlm", ("Auto_Open",))]


def test_macro_sheets_of_a_binary_workbook(office) -> None:
    names = b"\x27\x00" + "Auto_Open".encode("utf-16-le")
    modules = read(office.ooxml({"xl/workbook.bin": names, "xl/macrosheets/sheet1.bin": b"\x01\x02"}))
    assert [(m.kind, m.meaning.auto_run, m.readable) for m in modules] == [("xlm", ("Auto_Open",), False)]


def test_a_module_without_its_text_is_still_named(office) -> None:
    streams = office.vba_streams({"M": DROPPER})
    streams["VBA/M"] = b"\xcc" * 300
    assert [(m.name, m.readable) for m in read(office.ole_file(streams))] == [("M", False)]


def modules_and_error(data: bytes):
    found, reader = [], modules_of(io.BytesIO(data), data[:4096])
    with pytest.raises(ParseError) as caught:
        for module in reader:
            found.append(module)
    return [m.name for m in found], caught.type


def test_decoys_hide_nothing(office) -> None:
    project = office.vba_project({"M": DROPPER})
    locked = office.ole_file({"EncryptedPackage": b"x"})
    parts = {"word/a.bin": office.ole_file({"x": b"y"})[:700], "word/b.bin": locked, "word/media/z.xml": project}
    assert modules_and_error(office.ooxml(parts)) == (["M"], ParseError)
    both = office.ole_file({"EncryptedPackage": b"x", **office.vba_streams({"M": DROPPER})})
    assert modules_and_error(both) == (["M"], EncryptedDocumentError)


def test_one_document_may_not_cost_everything(office, monkeypatch) -> None:
    monkeypatch.setattr("hinomi.evidence.office.documents._Budget", lambda: _Budget(text=2500))
    project = office.vba_project({"M": "x = 1\r\n" * 100})
    names, error = modules_and_error(office.ooxml({f"xl/v{i}.bin": project for i in range(9)}))
    assert names == ["M"] * 3 and error is ParseError


def test_a_name_that_stands_twice_is_read_twice(office) -> None:
    import warnings
    import zipfile

    buffer = io.BytesIO(office.xlsm({"A": DROPPER}))
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("xl/vbaProject.bin", office.vba_project({"B": "Sub x()\r\nEnd Sub"}))
    assert sorted(m.name for m in read(buffer.getvalue())) == ["A", "B"]


def test_formula_words_are_no_calls() -> None:
    said = sheet_meaning("<f>SUM(EXECUTIVE)</f><f>MYEXEC(1)</f><v>EXEC</v>", ())
    assert said.executes == ()
    assert auto_names('<definedName name="Area">x</definedName>') == ()


@pytest.mark.parametrize("cut", [8, 100, 600, 1100, 3000])
def test_truncated_files_are_our_error_or_nothing(office, cut: int) -> None:
    for data in (office.vba_project({"M": DROPPER}), office.xlsm({"M": DROPPER})):
        with contextlib.suppress(ParseError):
            read(data[:cut])


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 255)), min_size=1, max_size=20), ole=st.booleans()
)
def test_damaged_files_are_our_error_or_modules(office, changes, ole: bool) -> None:
    data = bytearray(office.vba_project({"M": DROPPER}) if ole else office.xlsm({"M": DROPPER}))
    for position, value in changes:
        data[position % len(data)] = value
    with contextlib.suppress(ParseError):
        read(bytes(data))


@settings(max_examples=150, derandomize=True, deadline=None)
@given(data=st.binary(max_size=600), text=st.text('<>fv="&EXC() name:;', max_size=200))
def test_any_records_and_sheets_are_read(data: bytes, text: str) -> None:
    read_biff(b"\x85\x00" + data)
    sheet_meaning(text, ())
    auto_names(text)
