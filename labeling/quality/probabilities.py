"""What models think of labels they were not fitted to: cross-validation with two simple models of a text.

One model reads the embedding of the text, the other its characters: they err differently, and the second carries the
languages that the encoder does not know. What fits worst after a first round is left out of the fitting in a second.
`bench/label_quality_errors.py` measures what each of these is worth.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labeling.quality.votes import Ints

N_FOLDS = 5
# The inverse regularisation of the two rounds, for features of unit length. Labels with errors want it strong: chosen
# by log loss on such labels it comes out at 3 to 10, and finds fewer of the errors than 1 does.
FIRST_C, SECOND_C = 1.0, 3.0
LEFT_OUT = 0.1  # of the labels, those that fit worst, are not fitted to in the second round
# … but never more than this of a label's examples, or a rare label would be learnt away.
LEFT_OUT_OF_LABEL = 0.5
LEAST = 1e-6

Floats = NDArray[np.float32]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class OutOfSample:
    """Probabilities (n, n_labels), float32, rows sum to 1, of two models; `label_errors.find` puts them together.

    `probabilities`: of the model of embeddings; of a text without one, of the model of characters after the first
    round. `second`: of the model of characters. `too_few`: labels that have fewer examples than there are folds; what
    is said of them is a guess, and none of them is ever flagged.
    """

    probabilities: Floats
    second: Floats
    too_few: tuple[int, ...]
    method: str


def fold_of(key: str, *, n_folds: int = N_FOLDS) -> int:
    """Return the fold of an item, by its key alone: more labels later do not move it.

    Folds are stratified in expectation only; with a class as large as ten times the folds that is no matter.
    """
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % n_folds


def out_of_sample(
    texts: Sequence[str],
    labels: Ints,
    *,
    n_labels: int,
    keys: Sequence[str],
    embeddings: ArrayLike | None = None,
    embedded: Ints | None = None,
    n_folds: int = N_FOLDS,
    progress: Progress = lambda done, of: None,
) -> OutOfSample:
    """Return what models think of each label that were fitted without it. The same input gives the same output.

    `embeddings` (m, d) of unit length are those of the rows `embedded`, of all rows where that is None; of the others,
    and without any, characters are all there is. Equal texts share a fold: a copy of a text would give its label away.
    `progress` is called with the number of fits done, and of all.
    """
    folds = np.array([fold_of(text.strip() or key, n_folds=n_folds) for text, key in zip(texts, keys, strict=True)])
    signs, vectors = characters(texts), None if embeddings is None else np.asarray(embeddings, dtype=np.float32)
    rows = np.arange(len(labels)) if embedded is None else np.asarray(embedded, dtype=np.int64)
    rows = rows[:0] if vectors is None else rows
    steps, done = 2 * (len(np.unique(folds)) + len(np.unique(folds[rows]))), 0

    def step() -> None:
        nonlocal done
        progress(done := done + 1, steps)

    def judged(C: float, fitted: NDArray[np.bool_] | None = None) -> tuple[Floats, Floats]:
        """Return what both models say: that of embeddings where there are any, else that of characters;
        and the latter.
        """
        by_signs = cross_validated(signs, labels, folds, n_labels=n_labels, C=C, fitted=fitted, step=step)
        first = by_signs.copy()
        if vectors is not None and len(rows):
            first[rows] = cross_validated(
                vectors,
                labels[rows],
                folds[rows],
                n_labels=n_labels,
                C=C,
                fitted=None if fitted is None else fitted[rows],
                step=step,
            )
        return first, by_signs

    first, by_signs = judged(FIRST_C)
    again, second = judged(SECOND_C, ~_worst(labels, pool(first, by_signs)))
    # Where characters are all there is, the two models are those of the two rounds.
    probabilities = first
    probabilities[rows] = again[rows]
    read = {0: "characters", len(labels): "embedding and characters"}
    return OutOfSample(
        probabilities=probabilities,
        second=second,
        too_few=rare(labels, n_labels=n_labels, fewest=n_folds),
        method=f"{n_folds}-fold cross-validation, logistic regression on "
        + read.get(len(rows), f"characters, and for {len(rows)} of {len(labels)} texts on the embedding too"),
    )


def rare(labels: Ints, *, n_labels: int, fewest: int = N_FOLDS) -> tuple[int, ...]:
    """Return the labels that occur, but less than `fewest` times."""
    counts = np.bincount(labels, minlength=n_labels)
    return tuple(int(label) for label in np.flatnonzero((counts > 0) & (counts < fewest)))


def characters(texts: Sequence[str]) -> Any:
    """Return the TF-IDF of runs of one to five characters within words: a CSR matrix, rows of unit length.

    About 5 kB a text of 60 words. Chinese needs nothing else: there a run between spaces or signs is the word.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    # No label goes into this: what is learnt of the test folds here is which characters are common.
    reader = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(1, 5), min_df=2, max_features=100_000, sublinear_tf=True, dtype=np.float32
    )
    try:
        return reader.fit_transform([text[:2000] for text in texts])
    except ValueError:  # nothing occurs twice
        return np.zeros((len(texts), 1), dtype=np.float32)


def cross_validated(
    view: Any,
    labels: Ints,
    folds: Ints,
    *,
    n_labels: int,
    C: float = FIRST_C,
    fitted: NDArray[np.bool_] | None = None,
    step: Callable[[], None] = lambda: None,
) -> Floats:
    """Return the probabilities of each item by a logistic regression on the other folds' items, those of `fitted`.

    `view` (n, d), dense or CSR. Where the other folds hold one label alone, that is what they say.
    """
    from sklearn.linear_model import LogisticRegression

    found = np.full((len(labels), n_labels), LEAST, dtype=np.float32)
    for fold in np.unique(folds):
        test = folds == fold
        train = np.flatnonzero(~test if fitted is None else ~test & fitted)
        known = np.unique(labels[train])
        if len(known) > 1:
            # lbfgs has no randomness.
            model = LogisticRegression(C=C, max_iter=1000).fit(view[train], labels[train])
            found[np.ix_(test, model.classes_)] = np.maximum(model.predict_proba(view[np.flatnonzero(test)]), LEAST)
        elif len(known):
            found[test, known[0]] = 1
        step()
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def pool(*models: ArrayLike) -> Floats:
    """Return the normalised geometric mean of the models' probabilities, each (n, n_labels).

    The logarithmic opinion pool (Genest & Zidek 1986, Statistical Science 1, 114–135). With two labels its log-odds are
    the mean of the models' log-odds.
    """
    logs = sum(np.log(np.maximum(np.asarray(model, dtype=np.float32), LEAST)) for model in models) / len(models)
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _worst(labels: Ints, probabilities: Floats) -> NDArray[np.bool_]:
    """Return the `LEFT_OUT` of the labels that fit worst, at most `LEFT_OUT_OF_LABEL` of each label,
    none of a rare one.
    """
    worst = np.zeros(len(labels), dtype=bool)
    own = probabilities[np.arange(len(labels)), labels]
    worst[np.argsort(own, kind="stable")[: int(LEFT_OUT * len(labels))]] = True
    for label, n in zip(*np.unique(labels, return_counts=True), strict=True):
        most = int(n * LEFT_OUT_OF_LABEL) if n >= 2 * N_FOLDS else 0
        of_label = np.flatnonzero(worst & (labels == label))
        worst[of_label[np.argsort(own[of_label], kind="stable")[most:]]] = False
    return worst
