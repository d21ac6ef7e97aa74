"""The build hook: what it compiles, and what it says where it cannot."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCE = """#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "tiny", NULL, -1, NULL, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_tiny(void) { return PyModule_Create(&module); }
"""


@pytest.fixture
def hook():
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hook) -> Path:
    monkeypatch.delenv("HINOMI_PURE", raising=False)
    folder = tmp_path / hook.ROOMS[0]
    folder.mkdir(parents=True)
    (folder / "tiny.c").write_text(SOURCE)
    return tmp_path


def load(path: Path):
    spec = importlib.util.spec_from_file_location("tiny", path)
    assert spec is not None and spec.loader is not None
    return importlib.util.module_from_spec(spec)


def test_sources_become_modules_beside_them(project: Path, hook) -> None:
    if hook._obstacle() is not None:
        pytest.skip(hook._obstacle())
    (made,) = hook.build(project, "-Werror")
    assert made == project / hook.ROOMS[0] / "tiny.abi3.so"
    assert load(made).__name__ == "tiny"
    assert {path.name for path in made.parent.iterdir()} == {"tiny.c", "tiny.abi3.so"}


def test_asked_for_python_an_earlier_module_goes(project: Path, hook, monkeypatch, capsys) -> None:
    old = project / hook.ROOMS[0] / "tiny.abi3.so"
    old.touch()
    monkeypatch.setenv("HINOMI_PURE", "1")
    assert hook.build(project) == [] and not old.exists()
    assert capsys.readouterr().err == "hinomi: built without its compiled core: HINOMI_PURE is 1\n"


def test_without_a_compiler_one_line_says_so(project: Path, hook, monkeypatch, capsys) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    assert hook.build(project) == []
    assert capsys.readouterr().err.count("\n") == 1


def test_without_the_headers_of_a_library_only_its_module_goes(project: Path, hook, monkeypatch, capsys) -> None:
    if hook._obstacle() is not None:
        pytest.skip(hook._obstacle())
    folder = project / hook.ROOMS[0]
    (folder / "needy.c").write_text("#include <no_such_header.h>\n" + SOURCE)
    (folder / "needy.abi3.so").touch()
    monkeypatch.setattr(hook, "LIBRARIES", {"no_such_header.h": ("-lnone", "none-dev")})
    assert hook.build(project) == [folder / "tiny.abi3.so"]
    assert not (folder / "needy.abi3.so").exists()
    told = "hinomi: built without needy.c: no_such_header.h is missing (Debian: none-dev)\n"
    assert capsys.readouterr().err.endswith(told)


def test_a_wheel_is_of_this_platform_only_with_modules(project: Path, hook, monkeypatch) -> None:
    def data_of() -> dict:
        data: dict = {"artifacts": [], "pure_python": True}
        made = hook.BuildHook(str(project), {}, None, None, str(project), "wheel")
        made.initialize("standard", data)
        return data

    monkeypatch.setenv("HINOMI_PURE", "1")
    assert data_of() == {"artifacts": [], "pure_python": True}
    monkeypatch.delenv("HINOMI_PURE")
    if hook._obstacle() is None:
        data = data_of()
        assert data["artifacts"] == [str(hook.ROOMS[0] / "tiny.abi3.so")]
        assert data["tag"].startswith("cp311-abi3-linux_") and not data["pure_python"]


def test_every_module_has_a_stub_for_the_type_checker() -> None:
    folder = ROOT / "src/hinomi/evidence/native"
    sources = {path.stem for path in folder.glob("*.c")}
    assert sources and sources == {path.stem for path in folder.glob("*.pyi")}
