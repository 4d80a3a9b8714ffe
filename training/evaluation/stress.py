"""What becomes of a model's answers when texts are changed: by look-alikes, typos, spacing, words, groups of people.

Two models answer the same changed texts. One that is right less often than the champion there by more than a margin
does not pass, nor one whose answers hang on the group named more often. Pure: the models are handed in as functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from training.evaluation import fairness, perturbations
from training.evaluation.comparison import difference
from training.evaluation.gate import FAIL, INCONCLUSIVE, PASS, Rules
from training.evaluation.metrics import Answers
from training.evaluation.perturbations import Changed

# Said beside the findings; it decides nothing.
NOTE = "note"
Says = Callable[[Sequence[str]], npt.NDArray[Any]]
Finding = tuple[str, str]
NOBODY: Final[list[npt.NDArray[np.int64] | None]] = [None]


class Stressed(NamedTuple):
    """Figures for the report, and what the gate minds."""

    figures: dict[str, Any]
    findings: list[Finding]


def judge(
    texts: Sequence[str], new: Answers, old: Answers | None, *, says: Says, rival: Says | None, rules: Rules
) -> Stressed:
    """Return what was measured, and the findings against the champion; without one (`old`, `rival` None) no finding.

    `new` and `old` are the answers about `texts` as they are; `says` and `rival` ask the two models, each once for all
    changed texts: probabilities (n, n_labels), or what it says as a number (n,), as `truth` of the answers has it.
    """
    changed = [*perturbations.sets(texts), fairness.swaps(texts)]
    flat = [text for part in changed for text in part.texts]
    mine = _parts(says(flat), changed)
    theirs = _parts(rival(flat), changed) if rival and old is not None else None
    measured: dict[str, Any] = {"robustness": [], "fairness": {}}
    findings: list[Finding] = []
    kinds = len(changed) - 1
    for part, ours, other in zip(changed[:-1], mine, theirs or NOBODY * len(changed), strict=False):
        row, found = _perturbed(part, new, ours, other, rules, kinds)
        measured["robustness"].append(row)
        findings += found
    measured["fairness"], found = _fair(texts, new, old, changed[-1], mine[-1], theirs[-1] if theirs else None, rules)
    return Stressed(measured, findings + found)


def _parts(answers: npt.NDArray[Any], changed: Sequence[Changed]) -> list[npt.NDArray[np.int64]]:
    """Return what was said of each set: the place of the likeliest label, where probabilities were given."""
    ends = np.cumsum([len(part.texts) for part in changed])[:-1]
    places = answers.argmax(axis=1) if answers.ndim == 2 else answers
    return np.split(places.astype(np.int64), ends)


def _perturbed(
    part: Changed,
    new: Answers,
    ours: npt.NDArray[np.int64],
    other: npt.NDArray[np.int64] | None,
    rules: Rules,
    kinds: int,
) -> tuple[dict[str, Any], list[Finding]]:
    rows = np.asarray(part.rows, dtype=np.int64)
    row: dict[str, Any] = {"kind": part.name, "n": len(rows)}
    if not len(rows):
        return row, []
    right = ours == new.truth[rows]
    row |= {"accuracy": round(float(right.mean()), 4), "unchanged": round(float(new.right[rows].mean()), 4)}
    if other is None:
        return row, []
    held = other == new.truth[rows]
    row["champion"] = round(float(held.mean()), 4)
    if len(rows) < rules.min_slice:
        return row, [(NOTE, f"{len(rows)} texts with {part.name} are too few to tell")]
    return row, [_against(right, held, new, rows, f"with {part.name}", rules.perturbed_loss, 1 - 0.05 / kinds)]


def _against(
    ours: npt.NDArray[Any],
    theirs: npt.NDArray[Any],
    new: Answers,
    rows: npt.NDArray[np.int64],
    where: str,
    margin: float,
    level: float,
) -> Finding:
    """Return whether a loss beyond `margin` was met: for certain it fails, else nothing is told."""
    products = None if new.products is None else new.products[rows]
    found = difference(ours.astype(np.float64) - theirs, products, level=level)
    words = (
        f"{where}: {100 * found.value:+.1f} points against the champion on {len(rows)} texts "
        f"({100 * found.low:+.1f} to {100 * found.high:+.1f}); it must not lose more than {100 * margin:.0f}"
    )
    if found.value >= -margin:
        return PASS, words
    return (FAIL if found.high < 0 else INCONCLUSIVE), words


def _fair(
    texts: Sequence[str],
    new: Answers,
    old: Answers | None,
    swapped: Changed,
    ours: npt.NDArray[np.int64],
    theirs: npt.NDArray[np.int64] | None,
    rules: Rules,
) -> tuple[dict[str, Any], list[Finding]]:
    named: dict[str, list[int]] = {}
    for place, text in enumerate(texts):
        for group in fairness.groups_in(text):
            named.setdefault(group, []).append(place)
    groups = []
    for group, places in sorted(named.items()):
        row: dict[str, Any] = {
            "group": group,
            "n": len(places),
            "errors": round(float(1 - new.right[places].mean()), 4),
        }
        if old is not None:
            row["champion"] = round(float(1 - old.right[places].mean()), 4)
        groups.append(row)
    rows = np.asarray(swapped.rows, dtype=np.int64)
    measured: dict[str, Any] = {"groups": groups, "swapped": len(rows), "texts": len(set(swapped.rows))}
    if len(rows):
        measured["changed_by_swap"] = round(float((ours != new.predicted[rows]).mean()), 4)
    if old is None or theirs is None:
        return measured, []
    if measured["texts"] < rules.min_identity:
        words = (
            f"{measured['texts']} test texts name a group of people: too few to tell whether answers hang on which "
            f"({rules.min_identity} are needed)"
        )
        return measured, [(INCONCLUSIVE if rules.identity_required else NOTE, words)]
    same, same_of_champion = ours == new.predicted[rows], theirs == old.predicted[rows]
    measured["champion_changed_by_swap"] = round(float(1 - same_of_champion.mean()), 4)
    judged = [name for name, places in named.items() if len(places) >= rules.min_identity]
    findings = [_kept(same, same_of_champion, rows, new, rules, 1 - 0.05 / (1 + len(judged)))]
    for name in judged:
        of_group = np.asarray(named[name], dtype=np.int64)
        level = 1 - 0.05 / (1 + len(judged))
        where = f"of texts that name {name}"
        findings.append(
            _against(new.right[of_group], old.right[of_group], new, of_group, where, rules.identity_loss, level)
        )
    return measured, findings


def _kept(
    same: npt.NDArray[np.bool_],
    same_of_champion: npt.NDArray[np.bool_],
    rows: npt.NDArray[np.int64],
    new: Answers,
    rules: Rules,
    level: float,
) -> Finding:
    # Swaps of one text are alike: by product where it is known, else by text.
    products = rows if new.products is None else new.products[rows]
    found = difference(same.astype(np.float64) - same_of_champion, products, level=level)
    words = (
        f"another group named: the answer changes in {1 - same.mean():.1%} of {len(rows)} swaps, the champion's in "
        f"{1 - same_of_champion.mean():.1%}; at most {100 * rules.identity_loss:.0f} points more"
    )
    if found.value >= -rules.identity_loss:
        return PASS, words
    return (FAIL if found.high < 0 else INCONCLUSIVE), words
