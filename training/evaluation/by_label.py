"""Each label apart: how much of it a new model finds, how often it is right to call it, beside the champion. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.evaluation import comparison
from training.evaluation.comparison import Bools, Floats, Gap, Ints
from training.evaluation.metrics import Answers, occurring

# A loss on a label has to be ruled out on each label and on both figures, so each is asked at its full level, and a
# model that is worse somewhere is stopped there however many labels there are (an intersection–union test; Berger 1982,
# Technometrics 24, 295). By 99 % it passes once in a hundred times at most; by 98 % it did up to 1.8 times
# (docs/benchmarks/gate.md).
LEVEL, USUAL = 0.99, 0.95


@dataclass(frozen=True)
class Figure:
    """A share that each of two models has, of so many texts, and by how much the new one's is larger.

    `is_worse`: it is smaller beyond chance, as chance is meant everywhere else (95 %).
    """

    new: float
    old: float
    n_new: int
    n_old: int
    gap: Gap
    is_worse: bool = False


@dataclass(frozen=True)
class OfLabel:
    """What two models make of one label.

    `precision` is None where one of them never says it: recall tells it all then.
    """

    label: int
    n: int
    recall: Figure
    precision: Figure | None


def compare(new: Answers, old: Answers, label: int, *, alike: float) -> OfLabel:
    """Compare what two models make of one label on the same texts. `alike`: of texts of a product, at least."""
    hit, said = new.truth == label, (new.predicted == label, old.predicted == label)
    rows = np.flatnonzero(hit)
    found = [one[rows].astype(np.float64) for one in said]
    products = None if new.products is None else new.products[rows]
    gap, usual = (
        comparison.difference(found[0] - found[1], products, level=level, alike=alike) for level in (LEVEL, USUAL)
    )
    recalls = [float(one.mean()) if len(rows) else 0.0 for one in found]
    recall = Figure(recalls[0], recalls[1], len(rows), len(rows), gap, usual.high < 0)
    if not said[0].any() or not said[1].any():
        return OfLabel(label, len(rows), recall, None)
    gap, usual = (comparison.of_shares(*said, hit, new.products, level=level, alike=alike) for level in (LEVEL, USUAL))
    mine, theirs = (float(hit[one].mean()) for one in said)
    precision = Figure(mine, theirs, int(said[0].sum()), int(said[1].sum()), gap, usual.high < 0)
    return OfLabel(label, len(rows), recall, precision)


def macro_f1(new: Answers, old: Answers, *, level: float = 0.95) -> Figure:
    """Compare the mean of the labels' F1, over the labels that occur."""
    columns = [(new.truth == label, new.predicted == label, old.predicted == label) for label in occurring(new)]
    return mean_f1(columns, new.products, level=level)


def mean_f1(columns: Sequence[tuple[Bools, Bools, Bools]], products: Ints | None, *, level: float = 0.95) -> Figure:
    """Compare the mean F1 of two models over `columns`, (n,) each: where a label is, the new one says so, the old.

    Each label is somewhere.
    """
    n, values, parts = len(columns[0][0]), list[float](), list[Floats]()
    for model in (1, 2):
        found, own = list[float](), np.zeros(n)
        for column in columns:
            there, said = column[0], column[model]
            found.append(float(2 * (there & said).sum() / (there.sum() + said.sum())))
            own += (2 * (there & said) - found[-1] * (there.astype(np.float64) + said)) / (there.sum() + said.sum())
        values.append(sum(found) / len(found))
        parts.append(own / len(found))
    gap = comparison.summed(parts[0] - parts[1], values[0] - values[1], products, level=level)
    return Figure(values[0], values[1], n, n, gap)


def cost(new: Answers, old: Answers, costs: Floats, *, level: float = 0.95) -> Figure:
    """Compare what an error costs for a text on average; `costs` (n_labels,) is what it costs to miss a text of each
    label.

    The gap is what is saved: above zero the new model is cheaper.
    """
    of_text = costs[new.truth]
    paid = [of_text * ~answers.right for answers in (new, old)]
    gap = comparison.difference(paid[1] - paid[0], new.products, level=level, unit=float(of_text.max(initial=0.0)))
    return Figure(float(paid[0].mean()), float(paid[1].mean()), len(of_text), len(of_text), gap)
