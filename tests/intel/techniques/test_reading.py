"""What the technique model makes of a whole report."""

from __future__ import annotations

from hinomi.intel.read import read_report
from hinomi.intel.sections import context_of
from hinomi.intel.techniques.reading import TechniqueReading, second_best, technique_reading
from hinomi.model.claims import Document

STORY = (
    "The Kasumi backdoor was found in May. It creates a scheduled task to survive reboots. A keylogger records the "
    "keystrokes of the user. The signed program loads a malicious DLL by side-loading it."
)


def _reading(text: str) -> TechniqueReading:
    return technique_reading(context_of(Document("r", text, None, "utf-8", "text/plain", "0" * 64)))


def test_a_report_speaks_of_what_its_sentences_say_and_shows_them() -> None:
    reading = _reading(STORY)
    found = {reading.model.labels[one.label]: one for one in reading.found()}
    assert {"T1053.005", "T1056.001", "T1574.002"} <= set(found)
    for one in found.values():
        assert one.odds >= reading.model.threshold and all(mention.rank <= 3 for mention in one.mentions)
    assert "keystrokes" in found["T1056.001"].mentions[0].sentence.text


def test_a_known_technique_that_no_sentence_speaks_of_is_doubted() -> None:
    reading = _reading(STORY)
    assert reading.doubts("T1113") and not reading.doubts("T1056.001")
    assert not reading.doubts("T1486"), "which the model has not learnt"


def test_a_short_report_says_a_thing_once() -> None:
    assert second_best(0.5, -1.5) == 0.0 and second_best(0.5, 0.3) == 0.3
    alone = "The malware captures screenshots of the desktop every minute and uploads the images."
    reading = _reading(alone)
    assert "T1113" in {reading.model.labels[one.label] for one in reading.found()}


def test_a_merged_technique_names_its_successor() -> None:
    claims = [c for c in read_report("r", STORY.encode()).claims if c.value == "T1574.002"]
    assert claims and claims[0].attributes["merged_into"] == "T1574.001"
