"""What a finding by an indicator says, in both languages."""

from __future__ import annotations

from dataclasses import dataclass

from hinomi.model.text import Bilingual


@dataclass(frozen=True, slots=True)
class Words:
    """Title and explanations of one kind of lookup; `intact` for files that are their package's own."""

    title: Bilingual
    explanation: Bilingual
    intact: Bilingual
    responses: tuple[str, ...] = ()


ROLE_WORDS = {
    "malicious": Bilingual("malicious", "悪性"),
    "sample": Bilingual("a malware sample", "マルウェア検体"),
    "command-and-control": Bilingual("a command-and-control server", "C2サーバー"),
    "delivery": Bilingual("a delivery point of malware", "マルウェアの配布元"),
    "mentioned": Bilingual("part of its account", "言及の対象"),
}

WORDS = {
    "hash": Words(
        Bilingual("File with a reported SHA-256", "レポート記載のSHA-256と一致するファイル"),
        Bilingual(
            "{subject} has exactly the content ({value}) that the report “{report}” calls {role_en}.",
            "{subject} の内容({value})は、レポート「{report}」が{role_ja}とするものと完全に一致します。",
        ),
        Bilingual(
            "{subject} has the SHA-256 {value} of the report “{report}”, but it is the unchanged file of an installed "
            "package: the report probably lists a legitimate tool.",
            "{subject} のSHA-256 {value} はレポート「{report}」に記載がありますが、"
            "導入済みパッケージの未改変のファイルです。レポートは正規ツールを挙げている可能性があります。",
        ),
        ("preserve-evidence", "isolate-host", "stop-and-remove-implant"),
    ),
    "address": Words(
        Bilingual("Address that a report names", "レポート記載の接続先"),
        Bilingual(
            "{subject} holds or uses {value}, which the report “{report}” calls {role_en}.",
            "{subject} には、レポート「{report}」が{role_ja}とする {value} が含まれるか、使われています。",
        ),
        Bilingual(
            "{subject} holds {value} of the report “{report}”, but it is the unchanged file of an installed package.",
            "{subject} にはレポート「{report}」の {value} が含まれますが、導入済みパッケージの未改変のファイルです。",
        ),
        ("preserve-evidence", "isolate-host"),
    ),
    "account": Words(
        Bilingual("Account with a reported name", "レポート記載の名前を持つアカウント"),
        Bilingual(
            "The account {subject} has the name that the report “{report}” mentions. A name alone proves nothing: "
            "check who created it and whether it may log in.",
            "アカウント {subject} はレポート「{report}」に記載された名前です。名前だけでは断定できません。"
            "作成者とログインの可否を確認してください。",
        ),
        Bilingual("", ""),
        ("preserve-evidence", "remove-account-and-rotate-credentials"),
    ),
    "name": Words(
        Bilingual("Name that a report mentions", "レポート記載の名前"),
        Bilingual(
            "{named} has the name {value} of the report “{report}”. A name alone proves nothing: look at what the file "
            "does and where it came from.",
            "{named} はレポート「{report}」の {value} と同じ名前です。名前だけでは断定できません。"
            "動作と入手元を確認してください。",
        ),
        Bilingual(
            "{named} has the name {value} of the report “{report}”, but it is the unchanged file of an installed "
            "package.",
            "{named} はレポート「{report}」の {value} と同じ名前ですが、導入済みパッケージの未改変のファイルです。",
        ),
    ),
}
