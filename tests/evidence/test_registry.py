import contextlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.registry import Hive
from hinomi.model.errors import ParseError

TREE = {
    "Software": {
        "Acme": {"Run": {"a": "C:\\a.exe", "n": 7, "m": ["x", "y"], "日本".encode("cp932").decode("latin-1"): "v"}}
    }
}


def test_keys_and_values_are_found_without_regard_to_case(registry) -> None:
    hive = Hive(io.BytesIO(registry.hive(TREE)))
    key = hive.key("SOFTWARE\\acme\\run")
    assert key is not None and key.name == "Run"
    values = hive.values(key)
    assert values["a"] == "C:\\a.exe" and values["n"] == 7 and values["m"] == "x y"
    assert hive.key("Software\\Nothing") is None
    assert not hive.dirty
    assert Hive(io.BytesIO(registry.hive({}, dirty=True))).dirty


def test_our_hives_read_alike_elsewhere(registry, tmp_path) -> None:
    regipy = pytest.importorskip("regipy.registry")
    path = tmp_path / "hive"
    path.write_bytes(registry.hive(TREE))
    values = {v.name: v.value for v in regipy.RegistryHive(str(path)).get_key("\\Software\\Acme\\Run").get_values()}
    assert values["a"] == "C:\\a.exe" and values["n"] == 7 and values["m"] == ["x", "y"]


@pytest.mark.parametrize("data", [b"", b"regf", b"regf" + b"\0" * 5000, b"x" * 5000])
def test_damage_is_our_error(data: bytes) -> None:
    with pytest.raises(ParseError):
        Hive(io.BytesIO(data))


def walk(hive: Hive, key, depth: int = 0) -> None:
    hive.values(key)
    if depth < 4:
        for number, sub in enumerate(hive.subkeys(key)):
            if number > 20:
                return
            walk(hive, sub, depth + 1)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 1200), st.integers(0, 255)), min_size=1, max_size=10))
def test_damaged_cells_are_our_error_or_values(registry, changes) -> None:
    data = bytearray(registry.hive(TREE))
    for position, value in changes:
        data[4096 + position % (len(data) - 4096)] = value
    with contextlib.suppress(ParseError):
        hive = Hive(io.BytesIO(bytes(data)))
        walk(hive, hive.key("Software") or hive._root)
