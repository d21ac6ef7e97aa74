"""Roles of hosts in both languages."""

from __future__ import annotations

import pytest

from hinomi.intel.extractors.indicators import EXTRACTOR
from hinomi.intel.read import merge
from hinomi.intel.sections import context_of
from hinomi.model.claims import Document


def roles(text: str) -> dict[str, str]:
    context = context_of(Document("r", text, None, "utf-8", "text/plain", "0" * 64))
    claims = merge(context, EXTRACTOR.extract(context))
    return {c.value: c.role for c in claims if c.type in {"domain", "url", "ipv4"}}


@pytest.mark.parametrize(
    ("text", "value", "role"),
    [
        ("The implant beacons to kaze-sync[.]net every hour.", "kaze-sync.net", "command-and-control"),
        ("A second stage is downloaded from hxxp://kaze-drop[.]com/a", "http://kaze-drop.com/a", "delivery"),
        ("The pages imitate the portal of kasumi-bank.co.jp.", "kasumi-bank.co.jp", "impersonated"),
        ("The site of the victim www.hoshi-seiki.co.jp was down.", "www.hoshi-seiki.co.jp", "victim"),
        ("It checks connectivity by contacting www.google.com.", "www.google.com", "benign"),
        ("このマルウェアのC2サーバーは kaze-sync[.]net です。", "kaze-sync.net", "command-and-control"),
        (
            "C2サーバーは停止した。検体は hxxp://kaze-drop[.]com/a から配布された。",
            "http://kaze-drop.com/a",
            "delivery",
        ),
        ("攻撃者は hoshi-bank.co.jp を装ったフィッシングサイトを用意した。", "hoshi-bank.co.jp", "impersonated"),
        ("hoshi-bank.co.jpのログインページに見せかけた偽サイトへ誘導する。", "hoshi-bank.co.jp", "impersonated"),
        ("偽サイトは hoshi-bank[.]top でフィッシングに使われた。", "hoshi-bank.top", "delivery"),
        ("フィッシングの結果、被害を受けた企業は www.hoshi-seiki.co.jp である。", "www.hoshi-seiki.co.jp", "victim"),
        ("It learns its server, for example kaze-sync[.]net, from a text.", "kaze-sync.net", "command-and-control"),
        ("The tool downloads its instructions from kaze-sync[.]net daily.", "kaze-sync.net", "command-and-control"),
        ("The script fetches a second archive from kaze-drop[.]com.", "kaze-drop.com", "delivery"),
        ("検体は kaze-sync[.]net から命令を受け取ります。", "kaze-sync.net", "command-and-control"),
        ("この検体は通信の後 kaze-drop[.]com から次のペイロードを取得します。", "kaze-drop.com", "delivery"),
        ("C2サーバー kaze-sync[.]net からペイロードを取得します。", "kaze-sync.net", "command-and-control"),
        ("詳細は https://www.jpcert.or.jp/at/x.html を参照。", "https://www.jpcert.or.jp/at/x.html", "reference"),
    ],
)
def test_roles(text: str, value: str, role: str) -> None:
    assert roles(text)[value] == role


def test_the_own_sentence_is_surer_than_the_list() -> None:
    text = "Download\n- kaze-sync[.]net\n\nThe implant then beacons to kaze-sync[.]net every hour."
    assert roles(text)["kaze-sync.net"] == "command-and-control"
