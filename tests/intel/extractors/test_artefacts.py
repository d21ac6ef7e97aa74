"""Names that the prose gives files, processes, scripts and accounts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.extractor import Candidate
from hinomi.intel.extractors.artefacts import EXTRACTOR
from hinomi.intel.sections import context_of
from hinomi.model.claims import Document


def found(text: str) -> dict[tuple[str, str], Candidate]:
    context = context_of(Document("t", text, "t", "utf-8", "text/plain", "0" * 64))
    return {(c.type, c.value): c for c in EXTRACTOR.extract(context)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("マルウェアのメインプロセスは「minerd64」と呼ばれるファイルです。", ("filename", "minerd64")),
        ("「kswapx」プロセスはマルウェアを起動する。", ("filename", "kswapx")),
        ("攻撃者は「sysmond」、「kthrotl」および「netlinkd」というファイルを設置した。", ("filename", "kthrotl")),
        ("このマルウェアはhelperdという名前のプロセスとして動作する。", ("filename", "helperd")),
        ("「support2」というバックドア付き管理者ユーザーを追加する。", ("account", "support2")),
        ('The malware adds a local user named "svc_backup".', ("account", "svc_backup")),
        ("The malware drops a Bash script called updsvc.", ("filename", "updsvc")),
        ("The malicious netmon6 process restarts it.", ("filename", "netmon6")),
        ('The malware creates a service named "WinHelpSvc".', ("service", "WinHelpSvc")),
        (
            "The attackers left more. Every minute another script, meshKeeperd, checks the disk.",
            ("filename", "meshKeeperd"),
        ),
        ("A near copy of the malware, in short a copy, routabled, waits beside it.", ("filename", "routabled")),
        ("The malware calls a script that sources name either route6x or rowte6x.", ("filename", "rowte6x")),
        ("Malware\n| file | routabled, meshKeeperd, route6x | implant |", ("filename", "routabled")),
        ("Malware\n| account | zenith | second administrator |", ("account", "zenith")),
        ("マルウェアとほぼ同じ内容の「routabled」がもう一つ置かれ、互いを見張る。", ("filename", "routabled")),
        ("攻撃者の「route6x」(資料によっては「rowte6x」)を呼び出す。", ("filename", "rowte6x")),
        ("マルウェア\nファイル名: routabled、route6x", ("filename", "route6x")),
    ],
)
def test_named_artefacts_are_malicious(text: str, expected: tuple[str, str]) -> None:
    assert found(text)[expected].role == "malicious"


def test_a_copy_knows_its_original() -> None:
    japanese = found("マルウェアである「mainx1」ファイルのコピーである「backx2」は改変されていた。")
    assert japanese["filename", "backx2"].attributes["copy_of"] == "mainx1"
    english = found('The malware\'s file `mainx1` runs. A copy of it, "backx2", restarts it.')
    assert english["filename", "backx2"].attributes["copy_of"] == "mainx1"


def test_a_genuine_file_that_is_patched_is_told_apart() -> None:
    claims = found(
        "マルウェアは「webmgrd」という正規のベンダー製バイナリに小さなパッチを追加する。「rc.local」という起動スクリプトで起動する。"
    )
    assert claims["filename", "webmgrd"].attributes["how"] == "patched-legitimate"
    assert claims["filename", "rc.local"].attributes["how"] == "startup-script"
    assert claims["filename", "rc.local"].role == "mentioned"


def test_an_upgrade_path_is_marked() -> None:
    claims = found("スクリプトは/opt/fw/NEW/image.gzにファームウェアアップグレードがないか確認する。")
    assert claims["filepath", "/opt/fw/NEW/image.gz"].attributes["how"] == "upgrade-path"


def test_an_account_that_is_written_is_no_file() -> None:
    assert set(found("マルウェアは管理者権限のアカウント「zenith」を書き込み、戻す。")) == {("account", "zenith")}


@pytest.mark.parametrize(
    "text",
    [
        "「Emotet」と呼ばれるマルウェアのファイル",
        "The first process in the file system is the parent process.",
        "「影響範囲」というファイルではない見出し",
        "バージョン「2.3.1」ファイル",
        "Windows Defender service and Active Directory account",
        "The malware's script, however, runs once. The file, obfuscated, holds nothing.",
        "Malware\n| file | Description | Note |",
        "マルウェアは「Run」を残し、「影響」が置かれた。",
    ],
)
def test_plain_words_are_no_artefacts(text: str) -> None:
    assert not found(text)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from(
            [
                "「",
                "」",
                "というファイル",
                "ab1",
                "file ",
                "`",
                '"',
                "called ",
                " and ",
                "、",
                "copy of it, ",
                "the ",
                "/a/b",
                "\n",
                "\u200b",
                "ユーザー",
                "正規の",
            ]
        ),
        max_size=60,
    ).map("".join)
)
def test_spans_hold_whatever_the_text(text: str) -> None:
    for candidate in found(text).values():
        assert 0 <= candidate.span[0] < candidate.span[1] <= len(text)


def test_work_is_linear_in_hostile_text(calls: Callable[[Callable[[], object]], int]) -> None:
    for piece in (
        "「a」、",
        "the x1 ",
        "file called ",
        "`a` and ",
        "/a",
        "「" * 20,
        "a copy of ",
        "script, a1, ",
        "「a1」(「b」)",
        "| file | a1, ",
    ):
        small, large = (calls(partial(found, piece * (size // len(piece)))) for size in (8_000, 32_000))
        assert large < max(small, 2_000) * 5


@pytest.mark.parametrize("verb", ["masquerades as", "is disguised as", "poses as", "mimics", "pretends to be"])
def test_an_honest_program_that_malware_poses_as(verb: str) -> None:
    claim = found(f"The malware {verb} rsyslogd and waits.")["filename", "rsyslogd"]
    assert claim.attributes["belongs_in"].endswith("/rsyslogd")
    assert not found(f"The malware {verb} an invoice and waits.")


def test_accounts_are_told_by_their_shape() -> None:
    assert ("account", "svc_ops") in found("The actor reset the account svc_ops again.")
    assert ("account", "kanri9") in found("アカウント kanri9 を無効化する。")
    assert not found("The account manager and the user base grew.")
