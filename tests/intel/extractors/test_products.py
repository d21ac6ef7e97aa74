"""Versions bound to products: fixed or affected, operator, branch, in both languages."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.extractor import Candidate
from hinomi.intel.extractors.products import EXTRACTOR
from hinomi.intel.sections import context_of
from hinomi.model.claims import Document


def claims(text: str) -> list[Candidate]:
    return list(EXTRACTOR.extract(context_of(Document("t", text, "t", "utf-8", "text/plain", "0" * 64))))


def versions(text: str) -> set[tuple[str, str, str | None, str | None]]:
    return {
        (c.type.split("-")[0], c.value, c.attributes.get("product"), c.attributes.get("branch"))
        for c in claims(text)
        if c.type.endswith("version")
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "SMA100のお客様に対し、バージョン10.2.1.7以降へのアップグレードを強く推奨します。",
            {("fixed", "10.2.1.7", "SonicWall SMA 100", None)},
        ),
        ("FortiWeb 7.4.7より前のバージョンが影響を受けます。", {("affected", "<7.4.7", "Fortinet FortiWeb", None)}),
        ("Openfire 4.6.8未満に脆弱性が存在する。", {("affected", "<4.6.8", "Openfire", None)}),
        (
            "KitaServer 3.4.1およびそれ以前のバージョンに脆弱性。3.4.2で修正されています。",
            {("affected", "<=3.4.1", "KitaServer", None), ("fixed", "3.4.2", "KitaServer", None)},
        ),
        ("バージョン5.1.0から5.3.2までが影響を受けます。", {("affected", ">=5.1.0 <=5.3.2", None, None)}),
        ("対策版であるMinatoSuite 12.0.4以降を適用してください。", {("fixed", "12.0.4", "MinatoSuite", None)}),
        (
            "修正済みのバージョンは以下のとおり。\n・Jenkins 2.442\n・Jenkins 2.426.3\n",
            {("fixed", "2.442", "Jenkins", None), ("fixed", "2.426.3", "Jenkins", None)},
        ),
        (
            "Log4j 2.3.2(Java 6)、2.12.4(Java 7)または2.17.1(Java 8以降)にアップデートしていないApache Log4j",
            {
                ("fixed", "2.3.2", "Apache Log4j", "Java 6"),
                ("fixed", "2.12.4", "Apache Log4j", "Java 7"),
                ("fixed", "2.17.1", "Apache Log4j", "Java 8+"),
            },
        ),
        ("Upgrade to GlobalPipe 4.5.2 or later.", {("fixed", "4.5.2", "GlobalPipe", None)}),
        ("Acme Gateway versions prior to 4.5.2 are affected.", {("affected", "<4.5.2", "Acme Gateway", None)}),
        (
            "FortiOS 7.0.0 through 7.0.13 is vulnerable. Fixed in FortiOS 7.0.14.",
            {("affected", ">=7.0.0 <=7.0.13", "Fortinet FortiOS", None), ("fixed", "7.0.14", "Fortinet FortiOS", None)},
        ),
        (
            "Ivanti Connect Secure 22.7R2.5 and earlier are affected; the fixed version is 22.7R2.6.",
            {
                ("affected", "<=22.7R2.5", "Ivanti Connect Secure", None),
                ("fixed", "22.7R2.6", "Ivanti Connect Secure", None),
            },
        ),
        (
            "Update Log4j to 2.17.1 (Java 8) and 2.12.4 (Java 7).",
            {("fixed", "2.17.1", "Apache Log4j", "Java 8"), ("fixed", "2.12.4", "Apache Log4j", "Java 7")},
        ),
        (
            "Confluence 8.5.4, 8.6.2 and 8.7.1 are fixed versions.",
            {("fixed", v, "Atlassian Confluence", None) for v in ("8.5.4", "8.6.2", "8.7.1")},
        ),
    ],
)
def test_versions(text: str, expected: set[tuple[str, str, str | None, str | None]]) -> None:
    assert versions(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "The C2 server was 10.2.1.7 at the time.",
        "v1.0とは異なり、v2.0は、ダイアログボックスを自動的に閉じます。",
        "2.15.0での修正不十分による、任意のコード実行の脆弱性",
        "2021.12.27に更新された記事 1.2.3",
        "See section 4.2.1 and figure 3.1.",
    ],
)
def test_not_a_version_claim(text: str) -> None:
    assert versions(text) == set()


def test_fixed_version_operator_and_role() -> None:
    found = next(c for c in claims("TeamCity 2023.11.4 or later fixes it") if c.type == "fixed-version")
    assert (found.attributes["operator"], found.role, found.attributes["product"]) == (
        ">=",
        "fixed",
        "JetBrains TeamCity",
    )


def test_build_suffix_has_its_core_as_canonical() -> None:
    found = next(c for c in claims("推奨ファームウェアバージョン: 10.2.2.1-90sv 以上") if c.type == "fixed-version")
    assert (found.value, found.canonical) == ("10.2.2.1-90sv", "10.2.2.1")


def test_named_vulnerability_stands_for_its_cve() -> None:
    found = next(c for c in claims("「ProxyLogon」を悪用する") if c.type == "cve")
    assert (found.value, found.canonical) == ("CVE-2021-26855", "ProxyLogon")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from(
            [
                "1.2.3",
                "10.0",
                "以降",
                "より前",
                " prior to ",
                "FortiOS ",
                "、",
                "(Java 8)",
                " and ",
                "\n・",
                "に更新",
                "Xyz ",
                ".",
                "-",
                "v",
                "２．１",
                "\u200b",
            ]
        ),
        max_size=50,
    ).map("".join)
)
def test_spans_hold_whatever_the_text(text: str) -> None:
    for found in claims(text):
        assert 0 <= found.span[0] < found.span[1] <= len(text)


def test_time_is_linear_in_hostile_text() -> None:
    import time

    for piece in ("1.", "1.2.3、", "FortiOS ", "prior to ", "A B ", "1.2 (", "・1.2\n"):
        start = time.process_time()
        claims(piece * (60_000 // len(piece)))
        assert time.process_time() - start < 5
