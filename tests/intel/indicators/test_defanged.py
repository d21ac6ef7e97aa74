"""Every usual way to write an indicator gives the same value, and its span holds it."""

import pytest

from hinomi.intel.extractors.indicators import EXTRACTOR
from hinomi.intel.read import merge
from hinomi.intel.sections import context_of
from hinomi.model.claims import Document


def claims(text):
    context = context_of(Document("report", text, None, "utf-8", "text/plain", "0" * 64))
    found = merge(context, EXTRACTOR.extract(context))
    for claim in found:
        assert text[claim.span[0] : claim.span[1]] == claim.text
    return found


def pairs(text):
    return {(c.type, c.value) for c in claims(text)}


@pytest.mark.parametrize(
    "written",
    [
        "hxxps://cdn.kaze-sync[.]net/a",
        "hXXps[:]//cdn[.]kaze-sync[.]net/a",
        "https[:]//cdn.kaze-sync.net/a",
        "hxxps[://]cdn[.]kaze-sync[.]net/a",
        "hxxp[s]://cdn(.)kaze-sync{.}net/a",
        "meows://cdn[.]kaze-sync[.]net/a",
        "hxxps&#58;//cdn&#46;kaze-sync&#46;net/a",
        "https%3A%2F%2Fcdn.kaze-sync.net%2Fa",
        "ｈｔｔｐｓ：／／ｃｄｎ．ｋａｚｅ－ｓｙｎｃ．ｎｅｔ／ａ",
        "hxxps:\\\\cdn[.]kaze-sync[.]net/a",
        "https://cdn\u200b.kaze-sync\u200b.net/a",
        "hxxps://cdn[dot]kaze-sync[dot]net/a",
    ],
)
def test_urls(written):
    assert ("url", "https://cdn.kaze-sync.net/a") in pairs(f"The loader asks {written} every hour.")
    assert ("url", "https://cdn.kaze-sync.net/a") in pairs(f"通信先は「{written}」です。")


@pytest.mark.parametrize(
    "written",
    [
        "kaze-sync[.]net",
        "kaze-sync(.)net",
        "kaze-sync{.}net",
        "kaze-sync[dot]net",
        "kaze-sync (dot) net",
        "kaze-sync [.] net",
        "kaze-sync[.net",
        "kaze-sync.]net",
        "kaze-sync\\.net",
        "kaze-sync DOT net",
        "ｋａｚｅ－ｓｙｎｃ．ｎｅｔ",
        "kaze-\u00adsync.net",
        "kaze‑sync[.]net",
        "KAZE-SYNC[.]NET",
    ],
)
def test_domains(written):
    assert pairs(f"Beacons go to {written} daily") == {("domain", "kaze-sync.net")}


@pytest.mark.parametrize(
    "written",
    ["203[.]0[.]113[.]9", "203.0.113[.]9", "203(.)0(.)113(.)9", "203[dot]0[dot]113[dot]9", "２０３．０．１１３．９"],
)
def test_addresses(written):
    assert pairs(f"C2サーバー{written}に接続します") == {("ipv4", "203.0.113.9")}


@pytest.mark.parametrize(
    "written",
    [
        "ops[at]kaze-sync[.]net",
        "ops@kaze-sync[.]net",
        "ops (at) kaze-sync (dot) net",
        "ops[@]kaze-sync.net",
        "ops AT kaze-sync DOT net",
    ],
)
def test_mail_addresses(written):
    assert pairs(f"Mail comes from {written} only") == {("email", "ops@kaze-sync.net")}


def test_defanged_is_noted():
    assert claims("C2 kaze-sync[.]net")[0].attributes["defanged"] is True
    assert "defanged" not in claims("C2 kaze-sync.net")[0].attributes


@pytest.mark.parametrize(
    "text",
    [
        "Look at a[.]b[.]c in the array[.] of the (.) operator",
        "the dot com bubble burst",
        "user [at] home",
        "C:\\Users\\.ssh is a folder",
        "use regex foo\\.bar(baz)?",
        "[.]",
        "&#46;&#46;",
    ],
)
def test_markers_in_prose_make_no_host(text):
    assert not {kind for kind, _ in pairs(text)} & {"domain", "url", "ipv4", "email"}


@pytest.mark.parametrize("ending", ["example", "test", "invalid"])
def test_names_kept_for_documentation_are_claims_when_defanged(ending):
    found = claims(f"Indicators\ngate.kaze[.]{ending}\nops@mail[.]{ending}\nhxxp://kaze[.]{ending}/a\n")
    assert {(c.type, c.value) for c in found} == {
        ("domain", f"gate.kaze.{ending}"),
        ("email", f"ops@mail.{ending}"),
        ("url", f"http://kaze.{ending}/a"),
    }
    assert {c.role for c in found} == {"malicious"}


def test_code_with_a_reserved_ending_is_no_host():
    assert not pairs("Run login.test and form.invalid in the browser, then app.test again.")
