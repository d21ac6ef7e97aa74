"""Advice as steps, bound to what it speaks of."""

from __future__ import annotations

import pytest

from hinomi.intel.extractor import Candidate
from hinomi.intel.extractors.mitigations import EXTRACTOR
from hinomi.intel.sections import context_of
from hinomi.model.claims import Document


def steps(text: str) -> list[Candidate]:
    return list(EXTRACTOR.extract(context_of(Document("t", text, "t", "utf-8", "text/plain", "0" * 64))))


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("FortiWebを7.4.7以降へアップグレードしてください。", "update"),
        ("マクロは無効に設定しておくべきです。", "disable"),
        ("管理画面へのアクセスを制限することを推奨します。", "restrict"),
        ("✔️ 関連するプロセスを停止し、ファイルを削除する。", "remove"),
        ("□ 外部公開サービスの設定を確認する", "verify"),
        ("Users should upgrade to version 7.4.7.", "update"),
        ("We recommend that all customers rotate credentials.", "reset"),
        ("Administrators must block macros from the internet.", "disable"),
    ],
)
def test_advice_is_a_step(text: str, action: str) -> None:
    [found] = steps(text)
    assert action in found.attributes["actions"]


@pytest.mark.parametrize(
    "text",
    [
        "攻撃者はプロセスを停止し、ログを削除した。",
        "The attackers disabled the firewall.",
        "SysXはファイルを投下する機能を持つ。",
    ],
)
def test_narration_is_no_step(text: str) -> None:
    assert steps(text) == []


def test_a_step_knows_its_product_version_and_threat() -> None:
    [found] = steps("Openfireを4.6.8以降へ更新し、TrickBotの痕跡を確認してください。")
    assert found.attributes["product"] == "Openfire"
    assert found.attributes["versions"] == ["4.6.8"]
    assert found.attributes["threats"] == ["TrickBot"]


def test_list_items_of_a_mitigation_section_are_steps() -> None:
    text = (
        "Report on things\n\nA threat was seen in the wild.\n\nMitigations\n- Disable Office macros\n- Monitor "
        "outgoing mail\n"
    )
    assert [s.value for s in steps(text)] == ["Disable Office macros", "Monitor outgoing mail"]


def test_the_mark_is_not_part_of_the_step() -> None:
    text = "✔️ 感染した端末を隔離する。"
    [found] = steps(text)
    assert text[found.span[0] : found.span[1]] == found.value == "感染した端末を隔離する。"


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("The flaw is old. Upgrade OpenSSL to 3.0.7 or later.", "products", ["OpenSSL"]),
        ("Upgrade Zephyrcast to 4.1.2.", "products", ["Zephyrcast"]),
        ("Disable the account svc_batch7 and rotate its keys.", "accounts", ["svc_batch7"]),
        ("アカウント svc_batch7 を無効化してください。", "accounts", ["svc_batch7"]),
        ("PAN-OSを10.2.9以降に更新してください。", "actions", ["update"]),
    ],
)
def test_running_text_gives_orders_too(text: str, key: str, value: list[str]) -> None:
    [found] = steps(text)
    assert found.attributes[key] == value


@pytest.mark.parametrize(
    "text",
    [
        "Update packages contained the malware.",
        "Patch Tuesday fixes were late.",
        "Block lists grew in March.",
        "Remove was called by the loader.",
    ],
)
def test_a_sentence_that_begins_like_an_order_may_be_none(text: str) -> None:
    assert steps(text) == []


def test_an_address_to_block_is_no_version_and_blocking_no_product() -> None:
    for text in ("Block 203.0.113[.]9 at the firewall.", "Block 203.0.113.9 at the firewall."):
        [found] = steps(text)
        assert found.attributes == {"actions": ["restrict"]}
