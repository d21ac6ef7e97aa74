"""Which operating systems a passage speaks of."""

from __future__ import annotations

import pytest

from hinomi.intel.read import read_report
from hinomi.intel.sections import context_of
from hinomi.intel.systems import speaks_of
from hinomi.model.claims import Document

RC_SCRIPTS = frozenset({"Linux", "macOS"})


def _speaks(text: str, platforms: frozenset[str], sentence: int = 0) -> bool:
    context = context_of(Document("r", text, None, "utf-8", "text/plain", "0" * 64))
    return speaks_of(context, context.sentences[sentence].span, platforms)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("It runs at boot. The dropper is a Windows DLL.", False),
        ("It runs at boot. The dropper is a Linux ELF.", True),
        ("It runs at boot. It knows both Windows and Linux.", True),
        ("It runs at boot.", True),
        ("On Linux it runs at boot. The Windows variant does not.", True),
        ("システム起動時に実行される。Windowsの認証情報を集める。", False),
        ("システム起動時に実行される。Linuxの認証情報を集める。", True),
    ],
)
def test_the_sentence_decides_and_else_its_article(text: str, fits: bool) -> None:
    assert _speaks(text, RC_SCRIPTS) is fits


def test_a_technique_of_both_worlds_or_of_none_fits_everywhere() -> None:
    for platforms in (frozenset({"Windows", "Linux"}), frozenset({"SaaS", "Windows"}), frozenset()):
        assert _speaks("It runs at boot on Linux.", platforms)


@pytest.mark.parametrize(("system", "expected"), [("Windows", False), ("Linux", True)])
def test_starting_at_boot_is_an_rc_script_only_where_there_are_any(system: str, expected: bool) -> None:
    text = f"マルウェア「Kasumi」は{system}端末を狙う。Kasumiはシステム起動時に実行される。"
    found = {c.value for c in read_report("r", text.encode()).claims if c.type == "attack-technique"}
    assert "T1547" in found and ("T1037.004" in found) is expected
