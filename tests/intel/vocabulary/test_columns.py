"""Names of columns, as lists of many makers write them, say what the column holds."""

from __future__ import annotations

import pytest

from hinomi.intel.vocabulary.columns import column_of, folded, heads_column, kind_of


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("SHA256ハッシュ値", "sha256"), ("検体ハッシュ(MD5)", "md5"), ("C2サーバのIPアドレス", "ipv4"), ("SHA-1", "sha1"),
        ("sha256_hash", "sha256"), ("Registry Key", "registry-key"), ("dest ip", "ipv4"), ("ファイル名", "filename"),
        ("ハッシュ値", None), ("C2", None), ("通信先", None),
    ],
)  # fmt: skip
def test_a_column_says_its_type(name: str, kind: str | None) -> None:
    assert column_of(name) == (kind, True)


@pytest.mark.parametrize(
    "name", ["urlhaus link", "report_url", "first seen ip", "path", "host", "備考", "国", "hash count", ""]
)
def test_columns_of_other_things_say_none(name: str) -> None:
    assert column_of(name) == (None, False)


def test_a_cell_of_a_column_of_types_may_be_a_lonely_word() -> None:
    assert [kind_of(word) for word in ("path", "File", "FileHash-SHA256", "ip:port", "ハッシュ値(SHA-256)")] == [
        ("filepath", True), ("filename", True), ("sha256", True), ("ipv4", True), ("sha256", True),
    ]  # fmt: skip
    assert kind_of("weather") == (None, False)


def test_names_are_compared_folded() -> None:
    assert folded(" ＩＰ アドレス（v4） ") == "ip_アドレス_v4"


def test_only_types_of_their_own_head_columns() -> None:
    assert [heads_column(word) for word in ("MD5", "SHA256", "Url", "service", "pipe", "kaze")] == [True] * 3 + [
        False
    ] * 3
