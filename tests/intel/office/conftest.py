"""Office files built part by part, as the programs write them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest

from hinomi.intel.formats.office import FORMAT

RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
Read = Callable[[dict[str, str]], str]


def relations(*items: tuple[str, str, str]) -> str:
    """Return a part of relationships: (id, kind, target); a target with a scheme is outside."""
    rows = "".join(
        f'<Relationship Id="{key}" Type="t/{kind}" Target="{target}"'
        f"{' TargetMode=' + chr(34) + 'External' + chr(34) if '://' in target else ''}/>"
        for key, kind, target in items
    )
    return f'<Relationships xmlns="{RELATIONS}">{rows}</Relationships>'


@pytest.fixture
def relate() -> Callable[..., str]:
    return relations


@pytest.fixture
def read() -> Read:
    def text(parts: dict[str, str]) -> str:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
        return FORMAT.extract(buffer.getvalue(), "x").text

    return text
