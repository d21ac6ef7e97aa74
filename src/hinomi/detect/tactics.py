"""Where in an attack a technique belongs: the order in which a story is told.

Facts from MITRE ATT&CK (Enterprise v18; attack.mitre.org), each technique under the tactic that fits files and hosts
best (T1029, a call at set times, stands with the other calls to a server). ATT&CK v19 split "Defense Evasion" into
"Stealth" and "Defense Impairment"; its new ids stand beside the old.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from hinomi.model.text import Bilingual


@dataclass(frozen=True, slots=True)
class Phase:
    """A step of an attack, in both languages, with its techniques (without sub-techniques)."""

    name: str
    title: Bilingual
    techniques: frozenset[str]


def _phase(name: str, en: str, ja: str, techniques: str) -> Phase:
    return Phase(name, Bilingual(en, ja), frozenset(techniques.split()))


PHASES: tuple[Phase, ...] = (
    _phase("preparation", "Preparation", "準備", "T1583 T1584 T1585 T1586 T1587 T1588 T1589 T1590 T1592 T1595 T1608"),
    _phase("entry", "Way in", "侵入", "T1078 T1091 T1133 T1189 T1190 T1195 T1199 T1200 T1566 T1659"),
    _phase("execution", "Execution", "実行",
           "T1047 T1053 T1059 T1072 T1106 T1129 T1203 T1204 T1559 T1569 T1609 T1610 T1648"),
    _phase("persistence", "Persistence", "永続化",
           "T1037 T1098 T1136 T1137 T1176 T1197 T1205 T1505 T1525 T1542 T1543 T1546 T1547 T1554 T1556 T1574 T1653"),
    _phase("privilege", "Privileges", "権限昇格", "T1055 T1068 T1134 T1484 T1548 T1611"),
    _phase("evasion", "Hiding", "隠蔽",
           "T1014 T1027 T1036 T1070 T1112 T1127 T1140 T1202 T1211 T1216 T1218 T1220 T1221 T1222 T1480 T1497 T1553 "
           "T1562 T1564 T1600 T1601 T1620 T1622 T1647 T1685 T1686"),
    _phase("credentials", "Credentials", "認証情報の窃取",
           "T1003 T1040 T1056 T1110 T1111 T1187 T1212 T1528 T1539 T1552 T1555 T1557 T1558 T1606 T1621"),
    _phase("discovery", "Discovery", "探索",
           "T1007 T1010 T1012 T1016 T1018 T1033 T1046 T1049 T1057 T1069 T1082 T1083 T1087 T1120 T1124 T1135 T1201 "
           "T1217 T1482 T1518 T1614 T1615 T1654"),
    _phase("lateral", "Spreading", "横展開", "T1021 T1080 T1210 T1534 T1550 T1563 T1570"),
    _phase("collection", "Collection", "収集",
           "T1005 T1025 T1039 T1074 T1113 T1114 T1115 T1119 T1123 T1125 T1185 T1213 T1530 T1560 T1602"),
    _phase("control", "Command and control", "C2通信",
           "T1001 T1008 T1029 T1071 T1090 T1092 T1095 T1102 T1104 T1105 T1132 T1205 T1219 T1568 T1571 T1572 T1573"),
    _phase("exfiltration", "Exfiltration", "持ち出し", "T1011 T1020 T1030 T1041 T1048 T1052 T1537 T1567"),
    _phase("impact", "Impact", "影響",
           "T1485 T1486 T1489 T1490 T1491 T1495 T1496 T1498 T1499 T1529 T1531 T1561 T1565 T1657"),
)  # fmt: skip
OTHER = Phase("other", Bilingual("Besides", "その他"), frozenset())


@cache
def _by_technique() -> dict[str, Phase]:
    result: dict[str, Phase] = {}
    for phase in PHASES:
        for technique in phase.techniques:
            result.setdefault(technique, phase)
    return result


def phase_of(attack: Iterable[str]) -> Phase:
    """Return the phase of the first technique that has one; `OTHER` where none has."""
    known = _by_technique()
    return next((known[t] for t in (technique.partition(".")[0] for technique in attack) if t in known), OTHER)


def phase_order(phase: Phase) -> int:
    """Return the place of a phase in the telling."""
    return PHASES.index(phase) if phase in PHASES else len(PHASES)
