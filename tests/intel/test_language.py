"""Language, hard wrapping and sentence ends."""

import pytest

from hinomi.intel.language import detect_language, hard_wrapped, sentence_spans


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("マルウェアの通信先を確認してください。", "ja"),
        ("The malware 「カゼ」 calls its server once an hour and sleeps in between.", "en"),
        ("検体 " + "0f1e2d3c4b5a69788796a5b4c3d2e1f0\n" * 50, "ja"),
        ("Log4Shell、Apache Tomcat、VMware Horizonなどに影響", "ja"),
        ("0f1e2d3c4b5a69788796a5b4c3d2e1f0", "en"),
        ("", "en"),
    ],
)
def test_language(text, language):
    assert detect_language(text) == language


def test_hard_wrapping_is_told_from_paragraphs():
    assert hard_wrapped(["a line of text that was cut at a fixed width of the page"] * 10)
    assert not hard_wrapped(["short", "a very long paragraph " * 20, "another one that is of a middling size"] * 6)
    assert not hard_wrapped(["one line only, however long it may be"])


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It ran v1.2.3. Then it stopped.", ["It ran v1.2.3.", "Then it stopped."]),
        ("See kaze.exe and e.g. kaze.dll now", ["See kaze.exe and e.g. kaze.dll now"]),
        ("止まった。動いた!次", ["止まった。", "動いた!次"]),
        ("C2 is 203.0.113[.]7 here. Next", ["C2 is 203.0.113[.]7 here.", "Next"]),
        ("C2は kaze(.)example である。次", ["C2は kaze(.)example である。", "次"]),
        ("(It ended.) Then?", ["(It ended.)", "Then?"]),
        ("  ", []),
    ],
)
def test_sentences(text, sentences):
    assert [text[a:b] for a, b in sentence_spans(text, 0, len(text))] == sentences
