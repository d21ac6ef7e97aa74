"""Indicators of every family, found over one refanged copy of the text."""

from __future__ import annotations

from collections.abc import Iterable

from hinomi.intel.discovery import members
from hinomi.intel.extractor import Candidate, ReadingContext
from hinomi.intel.indicators.scan import Family, Scan


class _Indicators:
    name = "indicators"

    def extract(self, context: ReadingContext) -> Iterable[Candidate]:
        scan = Scan(context)
        families: tuple[Family, ...] = members("hinomi.intel.indicators", "FAMILY")
        for family in sorted(families, key=lambda f: (f.order, f.name)):
            yield from family.find(scan)


EXTRACTOR = _Indicators()
