"""Train the technique model: `python tools/train_techniques.py CORPUS.jsonl [--folds 10] [--write]`.

CORPUS holds one report per line: {"id", "text", "spans": [[start, end, technique], ...], "technique": [...]}, as made
from TRAM 2 (Center for Threat-Informed Defense, Apache-2.0). Needs numpy, scipy and scikit-learn, which Hinomi itself
does not. Cross-validation holds whole reports out and prints what the benchmark's bars ask for; the thresholds come
from it. The same corpus and versions give the same file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from hinomi.intel.sections import context_of
from hinomi.intel.techniques.features import features
from hinomi.intel.techniques.model import dumps
from hinomi.model.claims import Document

TARGET = Path(__file__).parents[1] / "src" / "hinomi" / "intel" / "techniques" / "techniques.model"
SMALLEST = 0.35
"""Weights nearer to zero are left out of the file."""
_OVERLAP = 12


class Corpus:
    """Sentences of all reports (those no span touches are the negatives) and the labelled spans themselves."""

    def __init__(self, path: Path) -> None:
        with open(path, encoding="utf-8") as file:
            self.reports = [json.loads(line) for line in file if line.strip()]
        self.labels = sorted({label for report in self.reports for label in report["technique"]})
        number = {label: n for n, label in enumerate(self.labels)}
        self.texts: list[str] = []
        self.report: list[int] = []
        self.is_span: list[bool] = []
        truth: list[set[str]] = []
        for n, report in enumerate(self.reports):
            for text, labels, span in (*_sentences(report), *_spans(report)):
                self.texts.append(text)
                self.report.append(n)
                self.is_span.append(span)
                truth.append(labels)
        self.truth = np.zeros((len(truth), len(self.labels)), bool)
        for row, labels in enumerate(truth):
            self.truth[row, [number[label] for label in labels]] = True
        self.gold = np.zeros((len(self.reports), len(self.labels)), bool)
        for row, report in enumerate(self.reports):
            self.gold[row, [number[label] for label in report["technique"]]] = True


def _sentences(report: dict[str, Any]) -> list[tuple[str, set[str], bool]]:
    document = Document(report["id"], report["text"], None, "utf-8", "text/plain", "0" * 64)
    found = []
    for sentence in context_of(document).sentences:
        start, end = sentence.span
        labels = {
            label for a, b, label in report["spans"] if min(b, end) - max(a, start) >= min(_OVERLAP, 0.5 * (b - a))
        }
        if end - start >= _OVERLAP:
            found.append((sentence.text, labels, False))
    return found


def _spans(report: dict[str, Any]) -> list[tuple[str, set[str], bool]]:
    spans: dict[tuple[int, int], set[str]] = defaultdict(set)
    for start, end, label in report["spans"]:
        spans[start, end].add(label)
    return [(report["text"][a:b], labels, True) for (a, b), labels in spans.items()]


def vectors(texts: list[str], vectorizer: TfidfVectorizer | None = None) -> tuple[TfidfVectorizer, csr_matrix]:
    """Return the fitted vectorizer and the texts' rows."""
    if vectorizer is None:
        vectorizer = TfidfVectorizer(analyzer=features, min_df=3, sublinear_tf=True)
        return vectorizer, vectorizer.fit_transform(texts)
    return vectorizer, vectorizer.transform(texts)


def fit(rows: csr_matrix, truth: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (labels x features) and biases, one logistic regression per label."""
    weights, biases = np.zeros((truth.shape[1], rows.shape[1])), np.full(truth.shape[1], -9.0)
    for label in range(truth.shape[1]):
        if truth[:, label].sum() < 2:
            continue
        model = LogisticRegression(C=strength, solver="liblinear", random_state=0).fit(
            rows, truth[:, label], sample_weight=np.where(truth[:, label], 2.0, 1.0)
        )
        weights[label], biases[label] = model.coef_[0], model.intercept_[0]
    return weights, biases


def held_out(corpus: Corpus, folds: int, strength: float) -> np.ndarray:
    """Return every text's scores by a model that has seen nothing of its report."""
    fold = np.random.RandomState(0).permutation(len(corpus.reports)) % folds
    of_text = fold[np.array(corpus.report)]
    scores = np.zeros(corpus.truth.shape)
    for number in range(folds):
        train, test = np.where(of_text != number)[0], np.where(of_text == number)[0]
        vectorizer, rows = vectors([corpus.texts[n] for n in train])
        weights, biases = fit(rows, corpus.truth[train], strength)
        weights[np.abs(weights) < SMALLEST] = 0
        scores[test] = vectors([corpus.texts[n] for n in test], vectorizer)[1] @ weights.T + biases
    return scores


def judge(corpus: Corpus, scores: np.ndarray) -> tuple[float, dict[str, float]]:
    """Return the best document threshold and the measures at it."""
    labelled, spans = corpus.truth.any(1), np.array(corpus.is_span)
    figures = {}
    for name, rows in (("sentence", np.where(labelled & ~spans)[0]), ("span", np.where(labelled & spans)[0])):
        order = np.argsort(-scores[rows], axis=1)
        for limit in (1, 3, 5):
            hit = [corpus.truth[row, best[:limit]].any() for row, best in zip(rows, order, strict=True)]
            figures[f"hit@{limit} per labelled {name}"] = round(float(np.mean(hit)), 4)
    highest = np.full(corpus.gold.shape, -99.0)
    for row in np.where(~spans)[0]:
        report = corpus.report[row]
        highest[report] = np.maximum(highest[report], scores[row])
    best = max((f1(corpus.gold, highest >= bar), bar) for bar in np.arange(-5, 1, 0.1))
    figures["document micro-F1"] = round(best[0], 4)
    return round(float(best[1]), 2), figures


def f1(gold: np.ndarray, found: np.ndarray) -> float:
    """Return the micro-averaged F1."""
    return float(2 * (gold & found).sum() / max(1, gold.sum() + found.sum()))


def strong_stems(weights: np.ndarray, biases: np.ndarray, names: list[str], threshold: float) -> list[str]:
    """Return the words that alone carry a good part of the way from a bias to the threshold."""
    reach = weights.max(0)
    return sorted(name for name, most in zip(names, reach, strict=True) if " " not in name and most >= 1.5 * -threshold)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--strength", type=float, default=10.0, help="inverse regularisation")
    parser.add_argument("--write", action="store_true", help="write the model file")
    parser.add_argument("--scores", type=Path, help="keep the held-out scores (.npz)")
    options = parser.parse_args()
    corpus = Corpus(options.corpus)
    scores = held_out(corpus, options.folds, options.strength)
    threshold, figures = judge(corpus, scores)
    print(json.dumps({"threshold": threshold} | figures, indent=1), flush=True)
    if options.scores:
        np.savez(options.scores, scores=scores, truth=corpus.truth, report=corpus.report, span=corpus.is_span)
    if options.write:
        vectorizer, rows = vectors(corpus.texts)
        weights, biases = fit(rows, corpus.truth, options.strength)
        names = [str(name) for name in vectorizer.get_feature_names_out()]
        scale = float(np.abs(weights).max() / 127)
        table = {}
        for column, name in enumerate(names):
            kept = np.where(np.abs(weights[:, column]) >= SMALLEST)[0]
            pairs = [(int(n), round(float(weights[n, column] / scale))) for n in kept]
            table[name] = (float(vectorizer.idf_[column]), [pair for pair in pairs if pair[1]])
        about = {
            "source": "TRAM 2, Center for Threat-Informed Defense; Apache-2.0",
            "trained_by": "tools/train_techniques.py",
            "attack_version": "18",
            "held_out": figures,
            "labels": corpus.labels,
            "biases": [round(float(bias), 4) for bias in biases],
            "scale": scale,
            "threshold": threshold,
            "strong": strong_stems(weights, biases, names, threshold),
        }
        TARGET.write_bytes(dumps(about, table))
        print(TARGET, TARGET.stat().st_size)
    return 0


if __name__ == "__main__":
    sys.exit(main())
