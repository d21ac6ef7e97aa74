"""Print scan results in any format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hinomi import __version__
from hinomi.cli.output import write
from hinomi.cli.settings import Settings

if TYPE_CHECKING:
    from hinomi.brief.document import ScanDocument
    from hinomi.flow.scanning import ScanResult


def show_scans(results: Sequence[ScanResult], made: str, settings: Settings) -> ScanDocument:
    """Print the results as one document and return it."""
    from hinomi.brief.document import ScanDocument, render
    from hinomi.flow.checking import look_of

    look, coverage = look_of(results, {})
    document = ScanDocument(look.targets, look.findings, look.stories, coverage, made, __version__)
    if settings.format == "table":
        from hinomi.cli.tables import render_scan

        write(render_scan(document, settings), settings)
    else:
        write(render(document, str(settings.format), settings.language), settings)
    return document
