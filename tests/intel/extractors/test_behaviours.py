"""Behaviours told in prose, in wording and with names of our own."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.extractor import Candidate
from hinomi.intel.extractors.behaviours import EXTRACTOR
from hinomi.intel.sections import context_of
from hinomi.intel.vocabulary.behaviours import behaviours, phrase_rules
from hinomi.intel.vocabulary.techniques import technique_names
from hinomi.model.claims import Document


def claims(text: str) -> list[Candidate]:
    return list(EXTRACTOR.extract(context_of(Document("t", text, "t", "utf-8", "text/plain", "0" * 64))))


def told(text: str) -> set[str]:
    return {c.value for c in claims(text) if c.type == "behaviour"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("一方のプロセスが停止すると、もう一方のスクリプトがそれを再起動する。", "mutual-watchdog"),
        ("Whenever one script is not running, the other script restarts it.", "mutual-watchdog"),
        ("The implant is started at boot by an init script.", "boot-persistence"),
        ("システム起動時に不正プログラムが実行される。", "boot-persistence"),
        ("It creates a cron job to run every minute.", "scheduled-persistence"),
        ("スタートアップフォルダにEXEファイルを作成する。", "startup-folder-persistence"),
        ("It drops an executable into the Startup folder.", "startup-folder-persistence"),
        ("It sets a value in the registry Run key for persistence.", "run-key-persistence"),
        ("A LaunchAgent is installed on macOS.", "launch-agent-persistence"),
        ("新しいファームウェアを展開してマウントし、バックドアを組み込む。", "firmware-repack"),
        ("The script unzips the upgrade image, mounts it and copies the malware into it.", "firmware-repack"),
        ("The backdoor persists across firmware upgrades.", "survives-upgrade"),
        ("It adds a root user named x to the system.", "uid0-account"),
        ("攻撃者は新しい管理者アカウントを作成した。", "backdoor-account"),
        ("It periodically runs an SQL query to dump the hashed credentials of logged-in users.", "credential-query"),
        ("The hashes are cracked offline.", "hash-cracking"),
        ("The actor patched a legitimate vendor binary.", "vendor-binary-patched"),
        ("正規のデーモンのバイナリを改ざんする。", "vendor-binary-patched"),
        ("It provides a reverse shell.", "reverse-shell"),
        ("The C2 address is hard-coded in the sample.", "hard-coded-c2"),
        ("It connects to the server at a given time of day.", "timed-callback"),
        ("It uses /etc/ld.so.preload to hide.", "library-injection"),
        ("The malware copies itself to a new folder.", "self-copy"),
        ("The malware lurks in a hidden directory.", "hidden-folder"),
        ("マルウェアは自身を削除する。", "self-delete"),
        ("It modifies timestamps of its files.", "timestomp"),
        ("攻撃者はログを消去した。", "log-clearing"),
        ("The attackers disabled Microsoft Defender.", "disables-security-tool"),
        ("悪意のあるマクロを含むExcelファイルが届く。", "office-macro-dropper"),
        ("The mail carries a password-protected ZIP archive.", "protected-archive"),
        ("スピアフィッシングメールに添付されたファイル", "spearphishing-attachment"),
        ("It downloads and executes a second stage payload.", "second-stage-download"),
        ("The backdoor executes commands received from its operator.", "command-execution"),
        ("ブラウザーに保存されたパスワードを窃取する。", "credential-collection"),
        ("It closes dialog boxes that Windows shows.", "dialog-closing"),
        ("It collects the hostname and OS version.", "system-discovery"),
        ("It decodes a string from a Pastebin page to find its C2.", "dead-drop-resolver"),
        ("A malicious PyPI package delivered it.", "malicious-package"),
        ("It masquerades as a system update.", "update-masquerade"),
        ("復号したペイロードをメモリ上で実行する。", "in-memory-loader"),
        ("The botnet can launch DDoS attacks.", "ddos-capability"),
        ("APT99がVPN装置の脆弱性を悪用して侵入した。", "exploits-public-service"),
        ("They scan for vulnerable servers.", "vulnerability-scanning"),
        ("They ran Linux commands on a Windows host.", "linux-commands-on-windows"),
        ("The attackers moved laterally.", "lateral-movement"),
        ("Collected data is sent to the C2 server.", "data-exfiltration"),
    ],
)
def test_told(text: str, expected: str) -> None:
    assert expected in told(text)


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("The malware does not copy itself.", "self-copy"),
        ("マルウェアは自身をコピーしない。自身をコピーしていません。", "self-copy"),
        ("Users should disable macros in Office documents.", "office-macro-dropper"),
        ("従業員にフィッシングメールについて教育してください。", "phishing"),
        ("The vendor released an update for the firmware.", "firmware-repack"),
        ("The user logs in to the web site.", "log-clearing"),
        ("The weather is fine and the team is happy.", "persistence"),
    ],
)
def test_not_told(text: str, absent: str) -> None:
    assert absent not in told(text)


def test_a_behaviour_carries_its_techniques_and_its_reason() -> None:
    found = claims("The malware copies itself.")
    behaviour = next(c for c in found if c.value == "self-copy")
    technique = next(c for c in found if c.type == "attack-technique")
    assert behaviour.attributes["attack"] == ["T1036"]
    assert technique.confidence < behaviour.confidence
    assert "copies" in behaviour.why


def test_techniques_by_name() -> None:
    found = {c.value for c in claims("The actor relied on Exfiltration Over C2 Channel and on Process Injection.")}
    assert {"T1041", "T1055"} <= found


def test_every_phrase_rule_names_a_known_behaviour_with_known_techniques() -> None:
    for rule in phrase_rules()[1]:
        assert rule.behaviour in behaviours()
    for behaviour in behaviours().values():
        assert behaviour.attack or behaviour.id == "backdoor-program", "what something is, is no technique"
        assert all(number in technique_names() for number in behaviour.attack), behaviour


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from(
            [
                "copies ",
                "itself",
                "自身を",
                "コピー",
                "しない",
                " not ",
                "。",
                "\n",
                "İ",
                "firmware ",
                "A",
                "　",
                "スクリプト",
            ]
        ),
        max_size=60,
    ).map("".join)
)
def test_spans_hold_whatever_the_text(text: str) -> None:
    for candidate in claims(text):
        assert 0 <= candidate.span[0] < candidate.span[1] <= len(text)
