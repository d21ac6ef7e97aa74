"""Feeds in JSON become lines of text."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.formats.json import FORMAT
from hinomi.model.errors import HinomiError


def test_values_become_lines_with_their_keys():
    data = json.dumps({"Event": {"info": "Kaze", "Attribute": [{"type": "ip-dst", "value": "203.0.113.9"}]}}).encode()
    document = FORMAT.extract(data, "event.json")
    assert document.text == "info: Kaze\ntype: ip-dst\nvalue: 203.0.113.9"
    assert document.title == "Kaze"


def test_deep_nesting_is_no_json_to_us():
    assert FORMAT.sniff(b"[" * 200_000) == 0


def test_text_that_begins_with_a_bracket_is_no_json():
    assert FORMAT.sniff(b"[update] the report") == 0


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=4), v, max_size=3),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None)
@given(st.lists(_VALUES, max_size=4))
def test_any_json_gives_text_or_our_error(value):
    try:
        FORMAT.extract(json.dumps(value).encode(), "feed.json")
    except HinomiError:
        return
