"""Measure a version on the test part of a snapshot, beside the champion, and put both before the gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from django.conf import settings

from core.exceptions import PermanentError
from inference.models import ModelVersion
from labeling.question import question
from training import partition
from training.evaluation import comparison, conditions, gate, metrics, smoke, stress
from training.evaluation.gate import GATE_VERSION, Verdict
from training.evaluation.metrics import Answers
from training.evaluation.several_metrics import SeveralAnswers
from training.evaluation.stress import Stressed
from training.work import Counted, Row, Work

__all__ = ["GATE_VERSION", "Measured", "judge", "measure"]
SMOKE_TEXTS = 8


Said = TypeVar("Said", Answers, SeveralAnswers)


@dataclass(frozen=True)
class Measured(Generic[Said]):
    """What both models say of the test part, and what the gate has to know besides. `old` is None without a rival."""

    labels: Sequence[str]
    new: Said
    old: Said | None
    groups: Mapping[str, Sequence[str]]
    facts: Mapping[str, bool]
    closest: Mapping[str, Any] | None
    stated: Any
    stressed: Stressed
    rules: gate.Rules


@dataclass(frozen=True)
class Way(Generic[Said]):
    """How one sort of answers is read of a model, judged and described: one label of a text, or several.

    `says` is what stress compares of changed texts, `whole` what it compares that with, `sliced` what slices are of.
    """

    answers: Callable[..., Said]
    says: Callable[[ModelVersion, Sequence[str], Sequence[str]], Any]
    whole: Callable[[Said], Answers]
    sliced: Callable[[Said], Answers]
    judge: Callable[..., Verdict]
    describe: Callable[[Said, Sequence[str]], Any]


def measure(work: Work, version: ModelVersion, *, tell: Counted = lambda done, of: None) -> Measured[Answers]:
    """Let `version` and the champion of `work` answer the test part. Nothing is written.

    `tell(done, of)` hears of texts as they are answered, by both models. Raises `PermanentError` when the artefact was
    changed.
    """
    return measure_by(ONE, work, version, tell=tell)


def judge(measured: Measured[Answers]) -> tuple[Verdict, dict[str, Any]]:
    """Return what the gate says of `measured`, and the figures for the report."""
    return judge_by(ONE, measured)


def measure_by(way: Way[Said], work: Work, version: ModelVersion, *, tell: Counted) -> Measured[Said]:
    """Let both models answer the test part in this `way`, as `measure`."""
    rows, labels, champion = work.parts["test"], work.snapshot.labels, work.champion
    rival = champion if champion is not None and champion.pk != version.pk else None
    of = len(rows) * (2 if rival else 1)
    new = way.answers(version, rows, labels, tell=lambda done: tell(done, of))
    old = way.answers(rival, rows, labels, tell=lambda done: tell(len(rows) + done, of)) if rival else None
    closest = partition.closest(work.task, work.parts)
    facts = _facts(work, version, new.probabilities, closest)
    stressed, rules = Stressed({}, []), rules_for(version.role)
    if len(rows) >= rules.min_test:
        stressed = stress.judge(
            [row.text for row in rows],
            way.whole(new),
            way.whole(old) if old is not None else None,
            says=partial(way.says, version, labels),
            rival=partial(way.says, rival, labels) if rival else None,
            rules=rules,
        )
    return Measured(labels, new, old, _groups(rows), facts, closest, work.snapshot.n_stated, stressed, rules)


def rules_for(role: str) -> gate.Rules:
    """Return what a model of the question `role` has to show: the rules of the settings, or its own in their place."""
    return gate.as_rules({**settings.TRAINING.gate, **question(role).gate})


def judge_by(way: Way[Said], measured: Measured[Said]) -> tuple[Verdict, dict[str, Any]]:
    """Return what the gate says of what was measured in this `way`, as `judge`."""
    new, old, labels, groups = measured.new, measured.old, list(measured.labels), measured.groups
    verdict: Verdict = way.judge(
        new,
        old,
        groups=groups,
        rules=measured.rules,
        facts=measured.facts,
        stated=measured.stated,
        labels=labels,
    )
    if measured.stressed.findings:
        verdict = gate.worst([*verdict.findings, *measured.stressed.findings])
    figures: dict[str, Any] = {
        **measured.stressed.figures,
        "labels": labels,
        "closest": measured.closest,
        "new": way.describe(new, labels),
        "slices": metrics.slices(way.sliced(new), groups),
    }
    if old is not None:
        figures["champion"] = way.describe(old, labels)
        figures["champion_slices"] = metrics.slices(way.sliced(old), groups)
        figures["comparison"] = _compared(comparison.compare(new.right, old.right, new.products))
    return verdict, figures


def _compared(found: comparison.Comparison) -> dict[str, float]:
    """Return a comparison with the champion as figures for the report."""
    return {
        "gain": round(found.gain, 4),
        "low": round(found.low, 4),
        "high": round(found.high, 4),
        "p": round(found.p, 5),
        "only_new": found.only_new,
        "only_champion": found.only_old,
    }


def _says(version: ModelVersion, labels: Sequence[str], texts: Sequence[str]) -> Any:
    from training.answering import classify

    return classify(version, texts, labels)


def _answers(
    version: ModelVersion, rows: Sequence[Row], labels: Sequence[str], *, tell: Callable[[int], None]
) -> Answers:
    from training.answering import classify

    places = {label: place for place, label in enumerate(labels)}
    truth = np.array([places[row.label] for row in rows], dtype=np.int64)
    found = np.asarray(classify(version, [row.text for row in rows], labels, tell=tell), dtype=np.float64)
    require_numbers(version, found)
    return Answers(found, truth, products_of(rows))


def products_of(rows: Sequence[Row]) -> npt.NDArray[np.int64]:
    """Return a number for what each of `rows` is about (n,)."""
    return np.unique([row.group for row in rows], return_inverse=True)[1].astype(np.int64)


def require_numbers(version: ModelVersion, found: npt.NDArray[np.float64]) -> None:
    """Raise `PermanentError` where what `version` said, (n, n_labels), has no numbers in it."""
    if n_lost := int((~np.isfinite(found).all(axis=1)).sum()):
        raise PermanentError(
            f"{version} gives no number for {n_lost:,} of {len(found):,} texts: its weights are no numbers any more.",
            hint="Train again with a smaller learning_rate.",
        )


def _groups(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return the slices that are looked at apart: name → value of each of `rows`."""
    return {
        "language": [row.locale for row in rows],
        "category": [row.category.split(" > ")[0] or "none" for row in rows],
        "length": [metrics.length_band(row.text) for row in rows],
    }


def _facts(
    work: Work, version: ModelVersion, found: npt.NDArray[np.float64], closest: Mapping[str, Any] | None
) -> dict[str, bool]:
    """Return, in words, what has to hold of a new classifier, and whether it does; `found`: what it said of the test
    part.
    """
    rows, labels = work.parts["test"], work.snapshot.labels
    tried = [row.text for row in rows[:SMOKE_TEXTS]]
    why = smoke.works_alone(version, tried, found[:SMOKE_TEXTS].tolist(), labels) if rows else None
    return {
        **conditions.runs_standalone("works", why),
        **conditions.preconditions(version, work, tested={row.group for row in rows}),
        **conditions.nearness(closest),
    }


def _itself(answers: Answers) -> Answers:
    return answers


ONE = Way(_answers, _says, whole=_itself, sliced=_itself, judge=gate.judge, describe=metrics.describe)
