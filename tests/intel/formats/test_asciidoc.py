"""AsciiDoc reports."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.formats.asciidoc import FORMAT
from hinomi.intel.read import extract_document, read_report
from hinomi.model.errors import ReportError

TEXT = """= Kasumi in the Mist
:toc: left
:revdate: 2026-03-01

[[intro]]
== Overview

The loader calls link:hxxps://cdn.kasumi-mist[.]net/a[its server] once an hour.

== Indicators

[cols="1,2"]
|===
| Type | Value
| domain
| kasumi-mist[.]net

| sha256 | 0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1aa
|===

[source,bash]
----
= not a heading
cp /bin/sh /tmp/.kasumi
----
"""


def test_headings_tables_links_and_code_are_kept() -> None:
    found = extract_document("r.adoc", TEXT.encode())
    assert (found.media_type, found.title) == ("text/asciidoc", "Kasumi in the Mist")
    lines = found.text.splitlines()
    assert "## Indicators" in lines and "= not a heading" in lines and "| domain | kasumi-mist[.]net |" in lines
    assert "its server (hxxps://cdn.kasumi-mist[.]net/a)" in found.text and ":toc:" not in found.text


def test_its_indicators_are_read_in_their_section() -> None:
    report = read_report("r.adoc", TEXT.encode())
    digest = next(c for c in report.claims if c.type == "sha256")
    assert report.sections[digest.section or 0].role == "indicators"
    assert {"https://cdn.kasumi-mist.net/a", "kasumi-mist.net"} <= {c.value for c in report.claims}


def test_markdown_and_prose_are_not_asciidoc() -> None:
    assert FORMAT.sniff(b"# Title\n\nSome text with a == b and\n\n## More\n") == 0
    assert FORMAT.sniff(b"Title\n=====\n\nText.\n") == 0


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(["= T", "== S", "|===", "| a | b", "|x", "----", "....", "", "[[", ":a: b", "x"])))
def test_any_lines_are_read(lines: list[str]) -> None:
    try:
        FORMAT.extract("\n".join(lines).encode(), "r")
    except ReportError as error:
        assert error.code == "report-no-text"
