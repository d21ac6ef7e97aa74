"""How vendors word things: sentences of our own making, in both languages, and what a reader must take from them."""

from __future__ import annotations

import pytest

from hinomi.intel.read import read_report
from hinomi.model.claims import Claim


def claims(text: str) -> list[Claim]:
    return list(read_report("t", text.encode()).claims)


def values(text: str, *types: str) -> set[str]:
    return {c.value for c in claims(text) if c.type in types}


def one(text: str, value: str) -> Claim:
    return next(c for c in claims(text) if c.value == value)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("The **Umber Stoat** (also known as GRAYPETAL, Silk Newt and UNC9472) is active.", {"Umber Stoat", "GRAYPETAL", "Silk Newt", "UNC9472"}),
        ("攻撃グループ「白鷺」が国内企業を狙った。", {"白鷺"}),
        ("この攻撃グループを「WhiteEgret」(別名:シラサギ)として追跡します。", {"WhiteEgret", "シラサギ"}),
        ("The group's new tool stole data. Umber Stoat, the group's tool, is packed.", set()),
    ],
)  # fmt: skip
def test_actors(text: str, names: set[str]) -> None:
    assert values(text, "actor") == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A second tool, internally called \"reedwing\", was a tunneler.", {"reedwing"}),
        ("カサネRATと呼ばれる遠隔操作マルウェアを実行します。", {"カサネRAT"}),
        ("情報窃取型マルウエア「Nagisa Stealer」が売られる。Nagisa Stealer(ナギサスティーラー)は認証情報を盗む。", {"Nagisa Stealer", "ナギサスティーラー"}),
    ],
)  # fmt: skip
def test_malware_and_tools(text: str, names: set[str]) -> None:
    assert values(text, "malware", "tool") == names


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("NetFort 210 | 5.2.8 およびそれ以前 | 5.2.9", {("affected-version", "<=5.2.8", "NetFort 210")}),
        ("Orbit Desk v2.8.1 (and all earlier releases) is vulnerable.", {("affected-version", "<=2.8.1", "Orbit Desk")}),
        ("・FortiOS 7.0.0 以上 7.0.16 以下が影響を受けます。", {("affected-version", ">=7.0.0 <=7.0.16", "Fortinet FortiOS")}),
        ("Users of the 2.7 LTS line of Orbit Desk should move to 2.7.19.", {("fixed-version", "2.7.19", "Orbit Desk")}),
        ("Orbit Desk before 7.4.12 is affected (the 8.x branch is not affected).", {("affected-version", "<7.4.12", "Orbit Desk")}),
        ("Northgate Hub before 7.4.12 is vulnerable.\nUpgrade Hub to 7.4.12.", {
            ("affected-version", "<7.4.12", "Northgate Hub"), ("fixed-version", "7.4.12", "Northgate Hub")}),
        ("「かんたん転送Pro」の脆弱性です。\n- かんたん転送Pro 10.0.0 から 10.2.3 までが影響を受けます", {
            ("affected-version", ">=10.0.0 <=10.2.3", "かんたん転送Pro")}),
        ("・Apache Tomcat 11.0.0-M1～11.0.2(CVE-2025-24813)。11.0.3 へ更新すること。", {
            ("affected-version", ">=11.0.0-M1 <=11.0.2", "Apache Tomcat"), ("fixed-version", "11.0.3", "Apache Tomcat")}),
        ("DNS queries go to 8.8.8.8 after the update.", set()),
        ("> Fixed versions:\n> - Orbit Desk 10.2.4\n", {("fixed-version", "10.2.4", "Orbit Desk")}),
    ],
)  # fmt: skip
def test_versions(text: str, said: set[tuple[str, str, str]]) -> None:
    found = {(c.type, c.value, str(c.attributes.get("product"))) for c in claims(text) if c.type.endswith("-version")}
    assert found == said


@pytest.mark.parametrize(
    "text",
    [
        "The service listens on port 8443. The sample was compiled with GCC 11.4.0.1 and stripped.",
        "According to section 4.2.1.3 of the manual, the server is safe.",
        "第2.3.1.5項を参照してください。",
    ],
)
def test_numbers_that_are_no_address(text: str) -> None:
    assert values(text, "ipv4") == set()


def test_the_last_octets_of_a_list() -> None:
    text = "Backup hosts are 203.0.113[.]102, [.]103 and [.]104."
    assert values(text, "ipv4") == {"203.0.113.102", "203.0.113.103", "203.0.113.104"}
    shortened = one(text, "203.0.113.104")
    assert shortened.text == "104" and shortened.attributes["shortened"]


def test_a_range_of_vulnerabilities() -> None:
    text = "It is open to CVE-2025-20001 through CVE-2025-20004, and to CVE-2025-3000."
    assert values(text, "cve") == {f"CVE-2025-{n}" for n in (20001, 20002, 20003, 20004, 3000)}
    assert one(text, "CVE-2025-20002").confidence < one(text, "CVE-2025-20001").confidence


def test_a_path_ends_with_its_sentence() -> None:
    text = r"The binary is C:\ProgramData\Vega\gfx.exe. The mutex Global\VegaOne is made."
    assert values(text, "filepath") == {r"C:\ProgramData\Vega\gfx.exe"}


@pytest.mark.parametrize(
    ("text", "value", "role"),
    [
        ("The web shell (desk_cache.php) accepts POST requests only.", "desk_cache.php", "malicious"),
        ("次のファイルが存在する場合、侵害された可能性があります。\n/opt/desk/help/cmd9.jsp", "/opt/desk/help/cmd9.jsp", "malicious"),
        ("The kit impersonates Microsoft 365 (login.microsoftonline.com).", "login.microsoftonline.com", "impersonated"),
        ("Rotate the credentials of the account svc_desk.", "svc_desk", "mentioned"),
        ("The attackers added the account svc_desk.", "svc_desk", "malicious"),
    ],
)  # fmt: skip
def test_roles(text: str, value: str, role: str) -> None:
    assert one(text, value).role == role


def test_a_heading_or_a_pointer_is_no_mitigation() -> None:
    text = "Recommended actions\n\n- Patch the gateway.\n- See Section 5.1 for rules.\n- 2.1.3節を参照してください。\n"
    assert values(text, "mitigation") == {"Patch the gateway."}


def test_a_quoted_step_is_given_without_its_mark() -> None:
    text = "# Mitigation\n\n> Customers should upgrade Orbit Desk to 3.2.6 or later.\n"
    assert values(text, "mitigation") == {"Customers should upgrade Orbit Desk to 3.2.6 or later."}


def test_who_was_dropped_did_not_exploit() -> None:
    text = "The operators exploited CVE-2024-50991 in Orbit Desk and dropped a backdoor that we named SALTREED."
    report = read_report("t", text.encode())
    names = {c.id: c.value for c in report.claims}
    (relation,) = [r for r in report.relations if r.type == "exploits"]
    assert (names[relation.from_id], names[relation.to_id]) == ("SALTREED", "CVE-2024-50991")
    assert relation.confidence < 30


def test_a_marking_is_no_title_and_a_bracket_stays_whole() -> None:
    assert read_report("t", b"TLP:CLEAR\n\nReed: a backdoor\n\nIt is new.").title == "Reed: a backdoor"
    assert (
        read_report("t", "【重要】製品「Desk」の脆弱性\n\n概要\n攻撃されています。".encode()).title
        == "【重要】製品「Desk」の脆弱性"
    )


def test_a_mutex_made_at_the_start_is_neither_a_file_nor_persistence() -> None:
    text = "このマルウェアは、起動時にミューテックス「Reed_2025_x1」を作成します。"
    assert values(text, "mutex") == {"Reed_2025_x1"}
    assert values(text, "filename", "behaviour") == set()
