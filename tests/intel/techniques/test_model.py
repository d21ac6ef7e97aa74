"""The technique model: its file, its ranks, and what reading makes of them."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.intel.read import read_report
from hinomi.intel.techniques.features import MAX_SENTENCE, features, pieces, stem
from hinomi.intel.techniques.model import loads, technique_model
from hinomi.intel.techniques.modelfile import write_model
from hinomi.intel.vocabulary.techniques import technique_names

SENTENCES = {
    "T1113": "Every ten minutes the implant captures screenshots of the desktop and stores them.",
    "T1053.005": "To survive reboots it creates a scheduled task with schtasks.exe.",
    "T1566.001": "Victims receive spearphishing emails with a malicious Word attachment.",
    "T1056.001": "A keylogger module records keystrokes of the user.",
    "T1003.001": "The operators dumped the memory of lsass.exe with procdump to obtain credentials.",
    "T1047": "Commands were executed on remote hosts through WMI.",
    "T1070.004": "Finally the malware deletes itself and its files from disk.",
}


@pytest.mark.parametrize(("technique", "sentence"), SENTENCES.items())
def test_plain_statements_rank_their_technique_among_the_first_three(technique: str, sentence: str) -> None:
    ranked = technique_model().rank(sentence)
    assert technique in [one.technique for one in ranked]
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)
    assert next(one for one in ranked if one.technique == technique).evidence


def test_a_file_gives_back_what_was_written() -> None:
    about = {
        "labels": ["T1", "T2"],
        "biases": [-1.0, -2.0],
        "priors": [-3.0, -4.0],
        "steps": [2.0, 1.0],
        "scale": 0.5,
        "threshold": 0.0,
        "strong": ["abcdk"],
        "source": "s",
    }
    model = loads(write_model(about, {"abcdk": (2.0, [(0, 12)]), "xyz": (1.0, [(0, -2), (1, 4)])}))
    (first, second) = model.rank("abcdk", 2)
    # a single word makes a vector of its own length: 12 * 0.5 over a rarity of 2
    assert (first.technique, first.score, first.evidence) == ("T1", 2.0, ("abcdk",))
    assert (second.technique, second.score, second.evidence) == ("T2", -2.0, ())
    assert (model.about, model.strong_heads) == ({"source": "s"}, {"abcd"})
    assert model.report_odds(1, 3.0, 2.0) == -4.0 + 6.0 + 2.0


def test_an_unknown_word_counts_by_its_known_pieces() -> None:
    about = {"labels": ["T1"], "biases": [0.0], "priors": [0.0], "steps": [1.0, 0.0], "scale": 1.0, "threshold": 0.0}
    model = loads(write_model(about | {"strong": []}, {"#slee": (1.0, [(0, 9)]), "#leep": (1.0, [(0, 3)])}))
    assert model.rank("NtSleepEx")[0].score > 0 and model.rank("NtSlowEx")[0].score == 0
    # two pieces of weights 9 and 3, each of length 1
    assert model.rank("xsleepx")[0].score == pytest.approx(12 / math.sqrt(2), abs=0.02)


def test_the_file_is_small_says_where_it_is_from_and_loads_fast(
    calls: Callable[[Callable[[], object]], int],
) -> None:
    path = files("hinomi.intel.techniques") / "techniques.model"
    data = path.read_bytes()
    assert len(data) < 1_500_000
    assert calls(lambda: loads(data)) < 3_000
    model = technique_model()
    assert "Apache-2.0" in model.about["source"] and "tools/" in model.about["trained_by"]
    assert set(model.labels) <= set(technique_names())
    assert model.about["held_out"]["document micro-F1"] > 0.7


def test_nothing_is_loaded_for_a_text_in_japanese() -> None:
    code = (
        "from hinomi.intel.read import read_report\n"
        "from hinomi.intel.techniques.model import technique_model\n"
        "read_report('r', 'マルウェアは画面を保存する。'.encode())\n"
        "print(technique_model.cache_info().currsize)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "0\n"


def test_candidates_are_marked_as_such() -> None:
    text = "The backdoor was found in May. " + " ".join(SENTENCES.values())
    claims = [c for c in read_report("r", text.encode()).claims if "rank" in c.attributes]
    assert {"T1113", "T1056.001"} <= {c.value for c in claims}
    for claim in claims:
        assert claim.attributes["attack_version"] == "18" and claim.attributes["rank"] <= 3
        assert claim.confidence <= 45 or not claim.why.startswith("the model")
        assert len(claim.attributes["candidates"]) == 3


def test_advice_and_lists_of_values_are_not_read() -> None:
    text = "# Kasumi\n\nYou should block scheduled tasks created with schtasks.exe and capture screenshots.\n"
    assert not [c for c in read_report("r", text.encode()).claims if "rank" in c.attributes]


def test_features_are_words_and_pairs_of_stems_once_each_and_within_bounds() -> None:
    assert features("It deletes the files; deletes the files") == (
        ("deletes", "files"),
        ("delet file", "file delet"),
    )
    assert len(features("word " * 10_000).words) == 1
    assert sum(map(len, features("x1 y2 " * 10_000).pairs)) < MAX_SENTENCE


def test_pieces_overlap_and_leave_out_numbers_and_runs() -> None:
    assert pieces("lsass") == ["#<lsa", "#lsas", "#sass", "#ass>"]
    assert pieces("4688") == pieces("to") == pieces("a" * 50) == []


def test_a_stem_begins_as_its_word_does() -> None:
    words = {word for sentence in SENTENCES.values() for word in features(sentence).words}
    assert all(stem(word)[:4] == word[:4] for word in words)


def test_the_fullest_sentence_does_not_overflow() -> None:
    about = {"labels": ["T1", "T2"], "biases": [0.0, 0.0], "priors": [0.0, 0.0], "steps": [1.0, 0.0], "threshold": 0.0}
    words = [f"{a}{b}{c}" for a in "abcdefgh" for b in "ijklmnop" for c in "qrstuvwx"][: MAX_SENTENCE // 4]
    names = {name for word in words for name in (word, *pieces(word))}
    rows = {name: (1.0, [(0, 127), (1, -127)]) for name in sorted(names | set(features(" ".join(words)).pairs))}
    first, second = loads(write_model(about | {"scale": 1.0, "strong": []}, rows)).rank(" ".join(words), 2)
    assert first.technique == "T1" and first.score == -second.score > 127


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.text(max_size=300))
def test_any_text_is_ranked(text: str) -> None:
    assert len(technique_model().rank(text)) == 3
