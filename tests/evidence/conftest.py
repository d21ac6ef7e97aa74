"""Writers of inert replicas, for every test of the evidence room."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from hinomi.evidence.native import compiled

_REPLICAS = Path(__file__).parents[1] / "replicas"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"replica_{name}", _REPLICAS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def replicas():
    """Return load(name): any writer of replicas."""
    return _load


@pytest.fixture(scope="session")
def office() -> ModuleType:
    """Return the writer of Office documents."""
    return _load("office")


@pytest.fixture(scope="session")
def registry() -> ModuleType:
    """Return the writer of registry hives."""
    return _load("hive")


@pytest.fixture(scope="session")
def java() -> ModuleType:
    """Return the writer of class files and jars."""
    return _load("java")


@pytest.fixture(scope="session")
def libraries() -> ModuleType:
    """Return the runner of the libraries collector over files in memory."""
    return _load("libraries")


@pytest.fixture(params=["compiled", "python"])
def core(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test twice: with the compiled core and with the same work in Python."""
    monkeypatch.delenv("HINOMI_PURE", raising=False)
    if request.param == "python":
        monkeypatch.setenv("HINOMI_PURE", "1")
    elif compiled("listing") is None:
        pytest.skip("the compiled core was not built: no C compiler or no Python.h")
    return request.param
