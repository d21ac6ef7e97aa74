"""Markdown as vendors write it: what marks it up goes, what it says stays."""

from __future__ import annotations

import pytest

from hinomi.intel.formats.markdown import FORMAT
from hinomi.intel.read import extract_document, read_report

REPORT = r"""---
title: "Kaze against gateways"
date: 2026-03-04T09:00:00Z
tags: [malware]
---
# Kaze campaign

The **Kaze backdoor** is a *quiet* one. Read [the earlier post](https://vendor.example/kaze) or <https://b.example/x>.
![logo](https://cdn.vendor.example/logo.png)

## Indicators of Compromise

- C2: `kaze-sync[.]example`
- [hxxp://tsuki[.]example/a_b_c.bin](hxxp://tsuki[.]example/a_b_c.bin)
- <a href="hxxps://hoshi[.]example/p">payload</a>

```
203.0.114.9 * not emphasis *
```

| Type | Value |
|:--|--:|
| domain | mori\_kaze[.]example |
| file | C:\_kaze\umi.exe |

<table><tr><td>Mutex</td><td>Global\KazeMutex7</td></tr><tr><td>Pipe</td><td>\\.\pipe\kaze7</td></tr></table>

<!-- draft: 198.51.100.7 -->
"""


def test_its_parts() -> None:
    document = FORMAT.extract(REPORT.encode(), "a.md")
    assert (document.title, document.published) == ("Kaze against gateways", "2026-03-04")
    text = document.text
    assert "The Kaze backdoor is a quiet one. Read the earlier post (https://vendor.example/kaze)" in text
    assert "203.0.114.9 * not emphasis *" in text, "code is kept as it is"
    assert "| domain | mori_kaze[.]example |" in text
    assert r"C:\_kaze\umi.exe" in text, "a path is no escape"
    assert "payload (hxxps://hoshi[.]example/p)" in text
    assert "| Mutex | Global\\KazeMutex7 |\n| Pipe" in text
    for gone in ("tags:", "--:", "198.51.100.7", "logo.png", "<td>", "**"):
        assert gone not in text


def test_its_claims() -> None:
    report = read_report("a.md", REPORT.encode())
    found = {c.value: c for c in report.claims}
    assert report.media_type == "text/markdown"
    for value in ("kaze-sync.example", "mori_kaze.example", "203.0.114.9"):
        assert value in found
    assert found["http://tsuki.example/a_b_c.bin"].text == "hxxp://tsuki[.]example/a_b_c.bin"
    assert all(report.text[slice(*c.span)] == c.text for c in report.claims)


@pytest.mark.parametrize(
    "text", ["The implant calls kaze.example.\nIt is #1 here.", "# one\nwords", "--- cut ---\n1. first\n2. second"]
)
def test_plain_text_is_no_markdown(text: str) -> None:
    assert extract_document("a.txt", text.encode()).media_type == "text/plain"


@pytest.mark.parametrize("run", ["[", "](", "*", "<a ", "`", "<!--", "!["])
def test_hostile_runs_are_read(run: str) -> None:
    data = f"# a\n## b\n{run * 20_000}\nkaze[.]example\n".encode()
    assert FORMAT.extract(data, "a.md").text.endswith("kaze[.]example")
