"""Each family finds its own and leaves look-alikes alone. All values are ours."""

import pytest

from hinomi.intel.extractors.indicators import EXTRACTOR
from hinomi.intel.indicators.hosts import is_host
from hinomi.intel.read import merge
from hinomi.intel.sections import context_of
from hinomi.model.claims import Document

MD5 = "3b1f0e9d8c7b6a594837261504f3e2d1"
SHA1 = MD5 + "a0b9c8d7"
SHA256 = MD5 + "5f4e3d2c1b0a99887766554433221100"


def claims(text):
    context = context_of(Document("report", text, None, "utf-8", "text/plain", "0" * 64))
    found = merge(context, EXTRACTOR.extract(context))
    for claim in found:
        assert text[claim.span[0] : claim.span[1]] == claim.text
    return found


def pairs(text):
    return {(c.type, c.value) for c in claims(text)}


@pytest.mark.parametrize(
    "text",
    [
        "Upgrade to 10.4.2.9 or later",
        "versions 8.3.1.2 and earlier are affected",
        "バージョン10.4.2.9以降に更新してください",
        "v2.4.1.9 is out",
        "See section 3.2.1.4",
        "OID 1.3.6.1.4.1.9.2",
        "第3.2.1.4節を参照",
        "Kaze OS 7.2.5.4 fixes it",
        "build 6.3.9600.17415",
        "on 2023.10.05.1",
        "10.4.2.9-37sv以前",
        "電話は03.1234.5678",
        "ESXi 6.7.0.11 をご利用の場合",
        "299.1.2.3 is out of range",
        "01.02.03.04",
    ],
)
def test_a_version_is_no_address(text):
    assert not [p for p in pairs(text) if p[0] in ("ipv4", "ipv6", "cidr")]


def test_addresses_networks_and_ports():
    found = claims("Traffic to 198.51.100.7:8443, 198.51.100.0/24, 2001:db8:7::9 and [2001:db8:7::a]:443")
    assert {(c.type, c.value) for c in found} == {
        ("ipv4", "198.51.100.7"), ("cidr", "198.51.100.0/24"), ("ipv6", "2001:db8:7::9"), ("ipv6", "2001:db8:7::a"),
    }  # fmt: skip
    assert found[0].attributes["port"] == 8443


def test_a_range_of_addresses_has_two_ends():
    assert pairs("198.51.100.46から198.51.100.48までのIPアドレス") == {
        ("ipv4", "198.51.100.46"),
        ("ipv4", "198.51.100.48"),
    }


def test_small_octets_need_words_of_the_network():
    assert pairs("The server at 5.6.7.8 answers") == {("ipv4", "5.6.7.8")}
    assert pairs("Kaze Suite 5.6.7.8 is out") == set()


@pytest.mark.parametrize("text", ["time 10:15:30:22", "MAC 00:0c:29:3e:5f:bb", "std::vector and a::b", "12:30"])
def test_colons_are_not_ipv6(text):
    assert not [p for p in pairs(text) if p[0] == "ipv6"]


@pytest.mark.parametrize("address", ["192.168.7.8", "127.0.0.1", "10.9.8.7", "8.8.8.8"])
def test_addresses_of_no_attacker_are_benign(address):
    claim = claims(f"The server {address} answers")[0]
    assert (claim.role, claim.confidence <= 20, bool(claim.why)) == ("benign", True, True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(see http://kaze-sync.net/a.)", "http://kaze-sync.net/a"),
        ("http://kaze-sync.net/w/(S(abc))/d.aspx", "http://kaze-sync.net/w/(S(abc))/d.aspx"),
        ("[text](http://kaze-sync.net/b)", "http://kaze-sync.net/b"),
        ("https://kaze-sync.net/auth.phpにアクセス", "https://kaze-sync.net/auth.php"),
        ("http://kaze-sync.net/資料/請求書.zip を", "http://kaze-sync.net/資料/請求書.zip"),
        ("https://かぜ銀行.com/login へ", "https://かぜ銀行.com/login"),
        ("http://198.51.100.7:81/x?a=b&c=d,", "http://198.51.100.7:81/x?a=b&c=d"),
        ("http://u:p@kaze-sync.net/p", "http://u:p@kaze-sync.net/p"),
        ("at http://kaze-sync.net/long/\npath/x.bin (wrapped)", "http://kaze-sync.net/long/path/x.bin"),
        ("tcp://198.51.100.7:4444", "tcp://198.51.100.7:4444"),
        ("http://[2001:db8::7]/x", "http://[2001:db8::7]/x"),
    ],
)
def test_where_a_url_ends(text, value):
    assert ("url", value) in pairs(text)


@pytest.mark.parametrize(
    "text",
    [
        "It writes kz.php, wp-kz.php and kz.json",
        "Node.js, ASP.NET and Socket.IO",
        "calls System.Net.WebClient",
        "com.kaze.player.app is signed",
        "Detected as Win32/Kaze.CC and Trojan.Linux.Kaze.IO",
        "The actor left.In May it came.It stayed",
        "e.g. this, i.e. that",
        "foo.bar() runs",
        "Run kz.sh then kz.py",
    ],
)
def test_what_is_no_domain(text):
    assert not [p for p in pairs(text) if p[0] in ("domain", "url")]


def test_domains_glued_to_japanese_and_over_lines():
    assert ("domain", "update.kaze-sync.co.jp") in pairs("感染端末はupdate.kaze-sync.co.jpへ通信する")
    broken = claims("C2 host: update.kaze-\nsync.com was seen")[0]
    assert (broken.value, broken.attributes["alternatives"]) == ("update.kaze-sync.com", ["sync.com"])
    assert ("url", "kaze-sync.net/gate.php") in pairs("a file at kaze-sync[.]net/gate.php today")


def test_an_ending_that_is_both_follows_the_words():
    assert pairs("The domain kaze.zip is registered") == {("domain", "kaze.zip")}
    assert pairs("The mail carries kaze.zip as attachment") == {("filename", "kaze.zip")}


def test_hashes_by_length_and_label():
    assert pairs(f"MD5 {MD5}") == {("md5", MD5)}
    assert pairs(f"{SHA1.upper()} / {SHA256}") == {("sha1", SHA1), ("sha256", SHA256)}
    assert pairs(f"imphash: {MD5}") == {("imphash", MD5)}
    assert pairs(f"JA3 {MD5}") == {("ja3", MD5)}
    assert pairs(f"SHA-512: {SHA256}{SHA256}") == {("sha512", SHA256 * 2)}
    assert ("md5", MD5) in pairs(f"ハッシュ値はMD5で{MD5}です。")
    assert ("md5", MD5) in pairs(f"{MD5}_kz.exe came")


def test_hashes_broken_over_lines_and_into_groups():
    assert pairs(f"SHA256:\n{SHA256[:40]}\n{SHA256[40:]}") == {("sha256", SHA256)}
    assert pairs(f"MD5 {MD5[:20]}-\n{MD5[20:]}") == {("md5", MD5)}
    grouped = " ".join(SHA1[n : n + 8] for n in range(0, 40, 8))
    assert pairs(f"SHA-1: {grouped}") == {("sha1", SHA1)}
    assert pairs(f"{MD5}\n{MD5[::-1]}") == {("md5", MD5), ("md5", MD5[::-1])}


@pytest.mark.parametrize(
    "text",
    [
        f"AES key {MD5}",
        f"the hard-coded key is {MD5}",
        f"iv = {MD5}",
        f"暗号鍵は{MD5}です",
        "0" * 32,
        f"{MD5}ff",
        f"campaign id {MD5}",
    ],
)
def test_what_is_no_hash(text):
    assert not pairs(text)


def test_trivial_hashes_and_revisions_are_never_active():
    empty = claims("SHA1 da39a3ee5e6b4b0d3255bfef95601890afd80709")[0]
    assert (empty.role, empty.confidence < 10) == ("benign", True)
    assert "empty" in empty.why
    assert claims(f"Git commit {SHA1}")[0].role == "reference"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Copied to C:\\ProgramData\\Kaze\\kz.exe and run.", "C:\\ProgramData\\Kaze\\kz.exe"),
        ('"C:\\Program Files\\Kaze Tool\\kz svc.exe" -k', "C:\\Program Files\\Kaze Tool\\kz svc.exe"),
        ("C:¥Windows¥Temp¥kz.exe を作成", "C:\\Windows\\Temp\\kz.exe"),
        ("C:\\Users\\山田\\資料\\kz.exeにコピー", "C:\\Users\\山田\\資料\\kz.exe"),
        ("%APPDATA%\\Kaze\\kz.js", "%APPDATA%\\Kaze\\kz.js"),
        ("\\\\files\\share$\\kz.exe", "\\\\files\\share$\\kz.exe"),
        ("/tmp/.kzを作成", "/tmp/.kz"),
        ("~/.ssh/authorized_keys was changed", "~/.ssh/authorized_keys"),
        ("in /kz/FIRM/NEW/IMG.GZ.", "/kz/FIRM/NEW/IMG.GZ"),
        ("C:/Kaze/kz.exe ran", "C:/Kaze/kz.exe"),
        ("D:\\共有\\資料.docx を", "D:\\共有\\資料.docx"),
        ("libkz.soを/etc/kz.confに追加", "/etc/kz.conf"),
    ],
)
def test_paths(text, value):
    assert ("filepath", value) in pairs(text)


@pytest.mark.parametrize(
    "text",
    [
        "and/or TCP/IP 24/7",
        "日本/米国/中国/韓国",
        "クライアント/Server/Web/DB",
        "vssadmin delete shadows /all /quiet",
        "GET /api/v1/kaze HTTP/1.1",
        "on 2023/10/05",
    ],
)
def test_slashes_are_no_paths(text):
    assert not pairs(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("設定ファイルkz.datを読み込む", "kz.dat"),
        ("「請求書_202310.xlsm」を開く", "請求書_202310.xlsm"),
        ("領収書.exeを開くと", "領収書.exe"),
        ("It drops kz32.exe now", "kz32.exe"),
        ("a document invoice.pdf.exe", "invoice.pdf.exe"),
        ("「報告（最終）.docx.exe」", "報告（最終）.docx.exe"),
    ],
)
def test_file_names(text, name):
    assert ("filename", name) in pairs(text)


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("sets HKCU\\Software\\Kaze\\Run for it", ("registry-key", "HKCU\\Software\\Kaze\\Run")),
        ("レジストリHKLM\\SOFTWARE\\Kazeに書く", ("registry-key", "HKLM\\SOFTWARE\\Kaze")),
        (
            '"HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Kaze"',
            ("registry-key", "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Kaze"),
        ),
        ("the mutex Global\\KZ_1f is made", ("mutex", "Global\\KZ_1f")),
        ("ミューテックス「KZ_MTX」を作る", ("mutex", "KZ_MTX")),
        ("「KZ_MTX2」というミューテックス", ("mutex", "KZ_MTX2")),
        ("Pipe \\\\.\\pipe\\kz_1 is used", ("pipe", "\\\\.\\pipe\\kz_1")),
        ('the service "KzSvc" starts', ("service", "KzSvc")),
        ("a service named KzSvc2", ("service", "KzSvc2")),
        ("scheduled task \\Microsoft\\KzTask runs", ("task", "\\Microsoft\\KzTask runs")),
        ('schtasks /create /tn "Kz Task" /tr x', ("task", "Kz Task")),
        ("User-Agent: KzBot/1.0 (x)", ("user-agent", "KzBot/1.0 (x)")),
        ("CVE‑2031‑44228 is", ("cve", "CVE-2031-44228")),
        ("CVE-2031-1111, -2222 and -3333", ("cve", "CVE-2031-3333")),
        ("脆弱性ＣＶＥ－２０３１－１２３４５を", ("cve", "CVE-2031-12345")),
        ("T1059.004に該当", ("attack-technique", "T1059.004")),
        ("JVN#12345670", ("jvn", "JVN#12345670")),
        ("KB5034000", ("kb", "KB5034000")),
        ("ghsa-2222-3333-4444", ("ghsa", "GHSA-2222-3333-4444")),
        ("AS64500 announced", ("asn", "AS64500")),
        ("ETH 0x" + SHA1, ("wallet", "0x" + SHA1)),
        ("ssdeep: 96:abcDEF123:XYZabc99", ("ssdeep", "96:abcDEF123:XYZabc99")),
        ("TLSH T1" + SHA256 + "A1B2C3", ("tlsh", "T1" + SHA256.upper() + "A1B2C3")),
        ("JARM " + SHA256[:62], ("jarm", SHA256[:62])),
    ],
)
def test_names_and_identifiers(text, claim):
    if claim[0] == "task" and claim[1].endswith(" runs"):
        assert any(kind == "task" and value.startswith("\\Microsoft\\KzTask") for kind, value in pairs(text))
    else:
        assert claim in pairs(text)


@pytest.mark.parametrize(
    "text",
    [
        "Bolt T1234",
        "1T1059",
        "the mutex is made to avoid a second run",
        "The service is stopped. This service: great",
        "AS400",
        "kb 12",
    ],
)
def test_words_that_name_nothing(text):
    assert not pairs(text)


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("C2: kaze-sync[.]net", "command-and-control"),
        ("通信先はkaze-sync[.]netです", "command-and-control"),
        ("The payload is downloaded from kaze-sync[.]net", "delivery"),
        ("Source: https://www.jpcert.or.jp/at/kaze.html", "reference"),
        ("It checks google.com first", "benign"),
        ("hxxps://drive.google[.]com/kz holds the payload", "delivery"),
        ("a site impersonating kaze-bank.co.jp", "impersonated"),
        ("## References\n- https://kaze-research.net/post", "reference"),
        ("## Indicators of compromise\n\nkaze-sync.net\n", "malicious"),
    ],
)
def test_roles(text, role):
    claim = next(c for c in claims(text) if c.type in ("domain", "url"))
    assert claim.role == role
    if role in ("reference", "benign"):
        assert claim.confidence <= 30
        assert claim.why


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("evil.com", True), ("com", False), ("co.uk", False), ("evil.co.uk", True), ("co.za", False),
        ("evil.co.za", True), ("evil.za.com", True), ("b.evil.ru", True), ("evil.ck", False), ("evil.evil.ck", True),
    ],
)  # fmt: skip
def test_a_host_has_a_name_above_its_public_suffix(name: str, wanted: bool) -> None:
    assert is_host(name) is wanted
