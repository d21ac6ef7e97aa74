"""Versions bound to products: fixed or affected, operator, branch, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

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


CONFLUENCE, OS, PROXY = "Atlassian Confluence", "Fortinet FortiOS", "Fortinet FortiProxy"
NUMPY = {("fixed", "1.22.9", "NumBox", "Python 3.8"), ("fixed", "1.26.1", "NumBox", "Python 3.9+")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Update NumBox to 1.22.9 on Python 3.8 and 1.26.1 on Python 3.9 or later, in containers too.", NUMPY),
        ("NumBoxを1.22.9(Python 3.8)、1.26.1(Python 3.9以降)のいずれにも更新していないシステム。", NUMPY),
        ("NumBox hosts not yet updated to NumBox 1.22.9 (Python 3.8) or 1.26.1 (Python 3.9 and later).", NUMPY),
        ("Python 3.8 users should upgrade NumBox to 1.22.9, Python 3.9+ users to 1.26.1.", NUMPY),
        ("NumBoxは、Python 3.8では1.22.9、Python 3.9以降では1.26.1で修正されています。", NUMPY),
        (
            "For Java 11, upgrade Openfire to 4.6.8; and for Java 17 or later, 4.7.5.",
            {("fixed", "4.6.8", "Openfire", "Java 11"), ("fixed", "4.7.5", "Openfire", "Java 17+")},
        ),
        (
            "Confluenceは8.x系は8.5.4、7.19.x系は7.19.17に更新してください。",
            {("fixed", "8.5.4", CONFLUENCE, "8"), ("fixed", "7.19.17", CONFLUENCE, "7.19")},
        ),
        ("PAN-OS 10.2系: 10.2.4で修正。", {("fixed", "10.2.4", "Palo Alto Networks PAN-OS", "10.2")}),
        (
            "Move to Confluence 8.5.4 under the 8.5 branch, or to 8.7.1 in the 8.7 branch.",
            {("fixed", "8.5.4", CONFLUENCE, "8.5"), ("fixed", "8.7.1", CONFLUENCE, "8.7")},
        ),
        (
            "FortiOS 7.4.0 through 7.4.2, 7.2.x before 7.2.7 and 7.0.0 to 7.0.13 are affected.",
            {
                ("affected", ">=7.4.0 <=7.4.2", OS, None),
                ("affected", "<7.2.7", OS, "7.2"),
                ("affected", ">=7.0.0 <=7.0.13", OS, None),
            },
        ),
        (
            "GitLab affecting all versions from 16.1 prior to 16.1.6, and 16.2 prior to 16.2.9.",
            {("affected", ">=16.1 <16.1.6", "GitLab", None), ("affected", ">=16.2 <16.2.9", "GitLab", None)},
        ),
        ("TeamCity >= 2023.1, < 2023.11.4 is hit.", {("affected", ">=2023.1 <2023.11.4", "JetBrains TeamCity", None)}),
        ("Openfire 4.5.0以上4.6.8未満が影響を受けます。", {("affected", ">=4.5.0 <4.6.8", "Openfire", None)}),
        ("Openfireのバージョン 3.4 系が影響を受けます。", {("affected", "3.4", "Openfire", None)}),
        ("Openfire Ver.1.2.3未満が影響を受けます。", {("affected", "<1.2.3", "Openfire", None)}),
        ("Openfire 4.6.8、4.7.5のいずれかに移行する。", {("fixed", v, "Openfire", None) for v in ("4.6.8", "4.7.5")}),
        (
            "Junos OS 21.2R3-S7 and 22.4R2 fix this.",
            {("fixed", v, "Juniper Junos OS", None) for v in ("21.2R3-S7", "22.4R2")},
        ),
        ("Jenkins is fixed in 2.426.3/2.442.", {("fixed", v, "Jenkins", None) for v in ("2.426.3", "2.442")}),
        (
            "Pulse Connect Secure: upgrade to versions 9.1R14.4, 9.1R17.2 and 22.4R2.2.",
            {("fixed", v, "Ivanti Connect Secure", None) for v in ("9.1R14.4", "9.1R17.2", "22.4R2.2")},
        ),
        (
            "対象: KitaMail 1.2.3より前 / MinatoDrive 4.5",
            {("affected", "<1.2.3", "KitaMail", None), ("affected", "4.5", "MinatoDrive", None)},
        ),
        (
            "以下の製品が影響を受けます。\n\n■FortiOS\n・7.4.0 から 7.4.2\n・7.2.7より前\n■KitaProxy\n・7.4.2以前",
            {
                ("affected", ">=7.4.0 <=7.4.2", OS, None),
                ("affected", "<7.2.7", OS, None),
                ("affected", "<=7.4.2", "KitaProxy", None),
            },
        ),
        (
            "Product | Affected | Fixed\nFortiOS | 7.4.0 through 7.4.2 | 7.4.3\nFortiProxy | 7.2.0 - 7.2.8 | 7.2.9",
            {
                ("affected", ">=7.4.0 <=7.4.2", OS, None),
                ("fixed", "7.4.3", OS, None),
                ("affected", ">=7.2.0 <=7.2.8", PROXY, None),
                ("fixed", "7.2.9", PROXY, None),
            },
        ),
    ],
)
def test_lists_and_branches(text: str, expected: set[tuple[str, str, str | None, str | None]]) -> None:
    assert versions(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Upgrade FortiOS to 7.4.3 and FortiProxy to 7.4.2.",
        "FortiOSを7.4.3に、FortiProxyを7.4.2に更新してください。",
        "Versions 7.4.3 of FortiOS and 7.4.2 of FortiProxy fix the flaw.",
        "FortiOS and FortiProxy were fixed in 7.4.3 and 7.4.2, respectively.",
        "FortiOSとFortiProxyはそれぞれ7.4.3と7.4.2で修正されました。",
    ],
)
def test_two_products_in_one_sentence_keep_their_own_versions(text: str) -> None:
    assert versions(text) == {("fixed", "7.4.3", OS, None), ("fixed", "7.4.2", PROXY, None)}


def test_an_unknown_product_at_the_version_comes_before_a_known_one_elsewhere() -> None:
    text = "Unlike FortiOS, KitaServer 3.4.1 is affected; it is fixed in KitaServer 3.4.2."
    assert {product for _, _, product, _ in versions(text)} == {"KitaServer"}


@pytest.mark.parametrize(
    "text",
    [
        "The C2 server was 10.2.1.7 at the time.",
        "v1.0とは異なり、v2.0は、ダイアログボックスを自動的に閉じます。",
        "2.15.0での修正不十分による、任意のコード実行の脆弱性",
        "2021.12.27に更新された記事 1.2.3",
        "The implant reached factories in Japan through 198.51.100.9.",
        "See section 4.2.1 and figure 3.1.",
        "The issue (CVSS 9.8) was fixed on 12.05.2024; see section 4.2.1 and port 8.443.",
        "Patch servers connecting to 198.51.100.77 and upgrade TLS 1.2.",
        "Openfireの脆弱性(CVSSスコア9.8)は2024.05.12に修正された。第3.2節を参照。",
        "Windows 11、macOS 14.2、Ubuntu 22.04で動作を確認した。",
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
                "on Java 8, ",
                "7.2.x",
                "8.x系は",
                " of FortiProxy",
                "それぞれ",
                "対象: ",
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


def test_work_is_linear_in_hostile_text(calls: Callable[[Callable[[], object]], int]) -> None:
    for piece in (
        "1.",
        "1.2.3、",
        "FortiOS ",
        "prior to ",
        "A B ",
        "1.2 (",
        "・1.2\n",
        "1.2 on Java 7, ",
        "7.x系は1.2、",
    ):
        small, large = (calls(partial(claims, piece * (size // len(piece)))) for size in (8_000, 32_000))
        assert large < max(small, 2_000) * 5


@pytest.mark.parametrize(
    "text",
    [
        "Upgrade OpenSSL to 3.0.7. Fixed versions of Zephyr Cast: 3.4 series 3.4.12",
        "修正バージョン（Zephyr Cast）：3.4系 3.4.12",
        "OpenSSLも使われる。Zephyr Castの修正済みバージョン：3.4系 3.4.12",
    ],
)
def test_versions_after_a_colon_are_of_the_product_named_before_it(text: str) -> None:
    assert ("fixed", "3.4.12", "Zephyr Cast", "3.4") in versions(text)


def test_a_heading_may_say_whose_versions_follow() -> None:
    text = "OpenSSL is used, too.\nFixed versions of Zephyrcast:\n- 3.4.12\n- 3.5.3\n"
    assert {found[2] for found in versions(text)} == {"Zephyrcast"}
