"""Relations that sentences state."""

from __future__ import annotations

from hinomi.intel.read import read_report


def relations(text: str) -> dict[tuple[str, str, str], int]:
    report = read_report("t.txt", text.encode())
    claims = {c.id: c.value for c in report.claims}
    return {(claims[r.from_id], r.type, claims[r.to_id]): r.confidence for r in report.relations}


def test_actor_uses_malware_and_exploits_and_targets() -> None:
    found = relations(
        "Mustang "
        "Pandaは、PlugXマルウェアを使用して、台湾の政府機関を標的にしました。\nTurlaがCVE-2023-1234を悪用した。\n"
    )
    assert found["Mustang Panda", "uses", "PlugX"] >= 60
    assert found["Mustang Panda", "targets", "政府機関"] >= 60
    assert found["Mustang Panda", "targets", "台湾"] >= 50
    assert found["Turla", "exploits", "CVE-2023-1234"] >= 60


def test_nearness_alone_is_weak() -> None:
    found = relations("TurlaとPlugXマルウェアについて述べる。")
    assert found["Turla", "uses", "PlugX"] < 50


def test_where_an_actor_comes_from() -> None:
    found = relations("ロシア政府が支援するTurlaグループがドイツの企業を攻撃した。")
    assert ("Turla", "originates-from", "ロシア") in found


def test_copies_versions_and_steps_are_bound() -> None:
    found = relations(
        "マルウェアの「mainx1」ファイルのコピーである「backx2」が動作する。\n"
        "Openfireを4.6.8以降へアップデートしてください。TrickBotマルウェアのプロセスを停止して削除してください。\n"
    )
    assert ("backx2", "copy-of", "mainx1") in found
    assert ("Openfire", "fixed-by", "4.6.8") in found
    assert any(kind == "mitigates" and target == "TrickBot" for _, kind, target in found)


def test_the_malware_means_the_one_named_before() -> None:
    found = relations("新たなバックドア「MoriGate」が発見されました。\n同マルウェアは自らをコピーして起動します。\n")
    assert ("MoriGate", "does", "self-copy") in found


def test_two_names_of_one_actor_are_aliases() -> None:
    found = relations("攻撃グループFancy Bear(APT28)が活動した。")
    assert any(kind == "alias-of" for _, kind, _ in found)


def test_steps_are_bound_to_what_they_speak_of() -> None:
    found = relations(
        'The malware makes a scheduled task named "EgretSync".\n\n## Mitigation\n\n'
        "Remove the scheduled task EgretSync. Block 203.0.113[.]9 at the firewall. Disable the account svc_egret.\n"
    )
    assert found["Remove the scheduled task EgretSync.", "mitigates", "EgretSync"] >= 60
    assert found["Block 203.0.113[.]9 at the firewall.", "mitigates", "203.0.113.9"] >= 60
    assert found["Disable the account svc_egret.", "mitigates", "svc_egret"] >= 60
