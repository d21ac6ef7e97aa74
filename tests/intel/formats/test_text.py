"""Plain text takes what no other format takes."""

import pytest

from hinomi.intel.formats.text import FORMAT
from hinomi.model.errors import ReportError


def test_newlines_become_plain():
    assert FORMAT.extract(b"a\r\nb\rc", "a.txt").text == "a\nb\nc"


def test_blank_text_is_refused():
    with pytest.raises(ReportError) as caught:
        FORMAT.extract(b" \n ", "a.txt")
    assert caught.value.code == "report-no-text"
