"""Tables and JSON of every shape become rows; what heads them is told apart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hinomi.intel.lists.rows import rows_of, values_of

HASH = "3b5d5c3712955042212316173ccf37be800ff6a3b5d5c3712955042212316173"
SHAPES: list[Any] = [
    ["45.0.2[.]7", "bad[.]example", HASH],
    {"title": "x", "ips": ["45.0.2.7"], "domains": ["bad.example"], "hashes": {"sha256": [HASH]}},
    {"iocs": {"ipv4": [{"value": "45.0.2.7"}], "domain": [{"value": "bad.example"}], "sha256": [{"value": HASH}]}},
    {"17": [{"ioc_value": "45.0.2.7:443", "ioc_type": "ip:port"}], "18": [{"ioc_value": "bad.example", "ioc_type":
     "domain"}], "19": [{"ioc_value": HASH, "ioc_type": "sha256_hash"}]},
    {"results": [{"name": "p", "indicators": [{"indicator": "45.0.2.7", "type": "IPv4"}, {"indicator": "bad.example",
     "type": "hostname"}, {"indicator": HASH, "type": "FileHash-SHA256"}]}]},
    {"45.0.2.7": {"score": 90}, HASH: {"score": 80}, "x": {"domain": "bad.example"}},
    [{"ip_address": "45.0.2.7", "hostname": "bad.example", "sha256_hash": HASH, "imphash": None, "file_size": 3}],
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_of_every_shape(shape: Any, encoding: str) -> None:
    rows = rows_of(json.dumps(shape, indent=1).encode(encoding))
    found = {value.text.replace("[.]", ".") for row in rows if not row.head for value in values_of(row.cells)}
    assert found == {"45.0.2.7", "bad.example", HASH}


def test_one_object_a_line() -> None:
    lines = b'{"type": "ip", "value": "45.0.2.7"}\n\n{"type": "domain", "value": "bad.example"}\n'
    assert [v.text for row in rows_of(lines) for v in values_of(row.cells)] == ["45.0.2.7", "bad.example"]
    assert list(rows_of(b'{"type": "ip", "value": "45.0.2.7"}\n{"type": ')) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932", "euc_jp", "iso2022_jp"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_tables_with_a_title_before_the_header(encoding: str, mark: str) -> None:
    text = '通信先の一覧\n\n種別,値,備考\nIPアドレス,45[.]0[.]2[.]7,"一行目\n二行目"\nドメイン,bad[.]example,\n'
    rows = list(rows_of(text.replace(",", mark).encode(encoding)))
    assert [(row.head, dict(row.cells)) for row in rows[:1]] == [(True, {"": "通信先の一覧"})]
    assert [v.text for row in rows for v in values_of(row.cells)] == ["45[.]0[.]2[.]7", "bad[.]example"]
    assert rows[1].cells["備考"] == "一行目\n二行目"


def test_a_commented_header_and_blanks_after_commas() -> None:
    text = b'# feed\n# "first_seen_utc","ioc_value","ioc_type"\n"2024-01-01", "45.0.2.7:443", "ip:port"\n# end\n'
    rows = [row for row in rows_of(text) if not row.head]
    assert [v.text for row in rows for v in values_of(row.cells)] == ["45.0.2.7"]


def test_more_cells_than_columns_are_kept() -> None:
    rows = list(rows_of(b"type,value\nip,45.0.2.7,and,more\n"))
    assert rows[0].cells["rest"] == "and more"


def test_deep_json_ends() -> None:
    assert list(rows_of(b'{"a":' * 500 + b'"45.0.2.7"' + b"}" * 500)) == []
