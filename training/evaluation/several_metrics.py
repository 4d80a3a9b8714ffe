"""What a classifier of several answers is worth on a held-out part: each as a yes or no, and all of a text. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.evaluation import metrics
from training.evaluation.metrics import Answers, Floats, Ints

Bools = npt.NDArray[np.bool_]
YES = 1


@dataclass(frozen=True, eq=False)
class SeveralAnswers:
    """What a model said of n texts: `probabilities`, `said` and `truth` (n, n_choices): how likely, said, true each is.

    `products` (n,) as in `Answers`. A choice by itself (`choice`), and a whole text (`whole`), are `Answers`, so that
    they are compared and judged like any.
    """

    probabilities: Floats
    said: Bools
    truth: Bools
    products: Ints | None = None

    @property
    def right(self) -> Bools:
        """Where all of a text's answers are right (n,)."""
        return np.asarray((self.said == self.truth).all(axis=1))

    def choice(self, place: int) -> Answers:
        """Return what was said of one choice: label 1 is yes."""
        yes = self.probabilities[:, place]
        return Answers(
            np.column_stack([1 - yes, yes]),
            self.truth[:, place].astype(np.int64),
            self.products,
            self.said[:, place].astype(np.int64),
        )

    def whole(self) -> Answers:
        """Return what was said of each text as one label, a number for each set of choices; it has no probabilities."""
        return Answers(np.zeros((len(self.truth), 0)), coded(self.truth), self.products, coded(self.said))

    def right_or_wrong(self) -> Answers:
        """Return whether each text's answers are all right, as label 1 that is said or not: for slices."""
        n = len(self.truth)
        return Answers(np.zeros((n, 2)), np.ones(n, dtype=np.int64), self.products, self.right.astype(np.int64))


def coded(ticks: Bools) -> Ints:
    """Return a number (n,) for each row of `ticks` (n, n_choices): equal rows, and these alone, have the same."""
    return np.asarray(ticks.astype(np.int64) @ (1 << np.arange(ticks.shape[1], dtype=np.int64)), dtype=np.int64)


def describe(answers: SeveralAnswers, labels: Sequence[str], *, seed: int = 0) -> dict[str, Any]:
    """Return what `metrics.describe` does, of several answers: `accuracy` is how often all of a text are right.

    `macro_f1` is the mean over the choices that occur; AUC, log loss and calibration error are means over the choices;
    a row for each has its precision, recall and F1, with 95 % intervals (whole products are drawn again) under
    `intervals`.
    """
    n, n_choices = answers.truth.shape
    if not n:
        return {"n": 0, "is_several": True}
    each = [answers.choice(place) for place in range(n_choices)]
    tally = _Tally(answers, seed)
    areas = [area for one in each if (area := metrics.auc(one)) is not None]
    own = np.where(answers.truth, answers.probabilities, 1 - answers.probabilities)
    return {
        "n": n,
        "is_several": True,
        "accuracy": tally.interval_of(tally.exact),
        "macro_f1": tally.interval_of(tally.macro_f1),
        "yes_or_no": round(float((answers.said == answers.truth).mean()), 4),
        "auc": round(sum(areas) / len(areas), 4) if areas else None,
        "log_loss": round(float(-np.log(np.clip(own, 1e-12, 1)).mean()), 4),
        "ece": round(float(np.mean([metrics.calibration_error(one) for one in each])), 4),
        "labels": [tally.row(place, label) for place, label in enumerate(labels)],
    }


def macro_f1(answers: SeveralAnswers) -> float:
    """Return the mean of the choices' F1 over those that occur; 0 where none does."""
    tally = _Tally(answers, 0, rounds=0)
    return float(tally.macro_f1(tally.all)[0])


class _Tally:
    """How often each choice was found, missed and said where it is not, by product, and of products drawn again."""

    def __init__(self, answers: SeveralAnswers, seed: int, rounds: int = metrics.ROUNDS) -> None:
        said, truth = answers.said, answers.truth
        n, n_choices = truth.shape
        places = np.arange(n) if answers.products is None else np.unique(answers.products, return_inverse=True)[1]
        n_products = int(places.max()) + 1
        cells = np.concatenate(
            [said & truth, said & ~truth, ~said & truth, answers.right[:, None], np.ones((n, 1))], axis=1
        )
        counts = np.zeros((n_products, cells.shape[1]), dtype=np.int64)
        np.add.at(counts, places, cells.astype(np.int64))
        rounds = max(200, min(rounds, 20_000_000 // n_products)) if rounds else 0
        drawn = np.random.default_rng(seed).multinomial(n_products, np.full(n_products, 1 / n_products), size=rounds)
        self.is_known, self.n_choices = n_products > 1, n_choices
        self.all, self.drawn = counts.sum(axis=0)[None], drawn @ counts

    def _of_choices(self, counts: Ints) -> tuple[Ints, Ints, Ints]:
        """Return hits, times said and times true, (rounds, n_choices) each."""
        hits, false, missed = np.split(counts[:, : 3 * self.n_choices], 3, axis=1)
        return hits, hits + false, hits + missed

    def exact(self, counts: Ints) -> Floats:
        return np.asarray(counts[:, -2] / counts[:, -1], dtype=np.float64)

    def macro_f1(self, counts: Ints) -> Floats:
        hits, said, there = self._of_choices(counts)
        occurs = there > 0
        return np.asarray((_share(2 * hits, said + there) * occurs).sum(axis=1) / np.maximum(occurs.sum(axis=1), 1))

    def interval_of(self, figure: Callable[[Ints], Floats]) -> dict[str, float]:
        low, high = np.percentile(figure(self.drawn), (2.5, 97.5)) if self.is_known else (0.0, 1.0)
        return {"value": _short(figure(self.all)[0]), "low": _short(low), "high": _short(high)}

    def row(self, place: int, label: str) -> dict[str, Any]:
        """Return the row of the report on one choice."""

        def figures(counts: Ints) -> dict[str, Floats]:
            hits, said, there = (one[:, place] for one in self._of_choices(counts))
            return {
                "precision": _share(hits, said),
                "recall": _share(hits, there),
                "f1": _share(2 * hits, said + there),
            }

        found, drawn = figures(self.all), figures(self.drawn)
        ends = {
            name: [_short(end) for end in (np.percentile(values, (2.5, 97.5)) if self.is_known else (0.0, 1.0))]
            for name, values in drawn.items()
        }
        n = int(self._of_choices(self.all)[2][0, place])
        return {
            "label": label,
            "n": n,
            **{name: _short(values[0]) for name, values in found.items()},
            "intervals": ends,
        }


def _share(hits: Ints, of: Ints) -> Floats:
    return np.asarray(np.divide(hits, of, out=np.zeros(hits.shape), where=of > 0), dtype=np.float64)


def _short(value: float) -> float:
    return round(float(value), 4)
