"""Files that malware leaves behind are indicators; what honest systems hold is not, wherever it is named."""

from __future__ import annotations

import pytest

from hinomi.intel.read import read_report


def roles(text: str) -> dict[str, str]:
    report = read_report("a.txt", text.encode())
    return {claim.value: claim.role for claim in report.claims if claim.type in ("filepath", "filename")}


def test_files_in_a_list_of_indicators() -> None:
    text = "Analysis\n\nIndicators of Compromise\n\nFiles:\n/usr/lib/.k/metricd\nmetricd.sh\n/etc/hosts\n"
    assert roles(text) == {"/usr/lib/.k/metricd": "malicious", "metricd.sh": "malicious", "/etc/hosts": "mentioned"}


@pytest.mark.parametrize(
    ("sentence", "role"),
    [
        ("The dropper drops C:\\ProgramData\\winupd.dll and starts it.", "malicious"),
        ("It copies itself to C:\\ProgramData\\winupd.dll at once.", "malicious"),
        ("この検体は C:\\ProgramData\\winupd.dll を作成します。", "malicious"),
        ("It reads C:\\ProgramData\\winupd.dll first.", "mentioned"),
        ("It drops a file. The editor opens C:\\ProgramData\\winupd.dll then.", "mentioned"),
    ],
)
def test_files_that_a_sentence_speaks_of(sentence: str, role: str) -> None:
    assert roles(f"Analysis\n\n{sentence}\n") == {"C:\\ProgramData\\winupd.dll": role}
