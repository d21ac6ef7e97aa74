"""One product has one name, whoever writes its maker, its major version or its library."""

from __future__ import annotations

import pytest

from hinomi.intel.merging import merge
from hinomi.intel.read import read_report
from hinomi.intel.vocabulary.products import product_name


@pytest.mark.parametrize(
    "name",
    ["Log4j", "Apache Log4j", "Apache Log4j 2", "Log4j 2", "Log4j 2.x", "log4j-core", "Log4j2",
     "Apache Software Foundation Log4j", "Apache  Log4j 2系"],
)  # fmt: skip
def test_a_maker_and_a_major_version_are_no_other_product(name: str) -> None:
    assert product_name(name) == "Apache Log4j"


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("マイクロソフトの Exchange Server", "Microsoft Exchange Server"), ("FortiOS 7", "Fortinet FortiOS"),
        ("Cisco Systems IOS XE", "Cisco IOS XE"), ("SMA 1000", "SonicWall SMA 1000"), ("SMA 100", "SonicWall SMA 100"),
    ],
)  # fmt: skip
def test_known_products_of_makers(name: str, known: str) -> None:
    assert product_name(name) == known


@pytest.mark.parametrize("name", ["Acme RoofServer", "Acme RoofServer 3", "Apache", "2", "", "Windows Server 2019 R2"])
def test_what_the_vocabulary_does_not_know_keeps_its_name(name: str) -> None:
    assert product_name(name) == name


def test_reports_that_write_it_differently_merge_into_one_product() -> None:
    texts = (
        "Apache Log4j 2 versions before 2.17.1 are affected by CVE-2021-44832.",
        "Log4j versions prior to 2.17.1 are affected by CVE-2021-44832.",
        "log4j-core の 2.17.1 より前のバージョンに脆弱性 CVE-2021-44832 が存在する。",
    )
    view = merge([read_report(f"{number}.txt", text.encode()) for number, text in enumerate(texts)])
    affected = [claim for claim in view.claims if claim.type == "affected-version"]
    assert [(claim.value, claim.product, claim.reports) for claim in affected] == [("<2.17.1", "Apache Log4j", 3)]
    assert [claim.value for claim in view.claims if claim.type == "product"] == ["Apache Log4j"]


def test_a_series_in_a_name_is_a_branch_of_the_same_product() -> None:
    report = read_report("a.txt", b"Log4j 2.x prior to 2.17.1 is affected by CVE-2021-44832.")
    told = [(c.value, c.attributes["product"]) for c in report.claims if c.type == "affected-version"]
    assert told == [("<2.17.1", "Apache Log4j")]
