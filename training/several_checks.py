"""The search for wrong labels where several answers may hold: each answer is judged as a yes or no of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core import label_sets
from inference import resolver
from inference.models import Role
from labeling import columns
from labeling.issues import Suspicion
from labeling.models import Label
from labeling.question import question
from training import label_evidence
from training.label_evidence import BATCH, CHINESE, Corpus, Progress, Searched

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def search(
    question: str, names: Sequence[str], *, judged: Sequence[tuple[float, bool]], precision: float, progress: Progress
) -> Searched:
    """Return which labels of `question` look wrong: those of which an answer of `names` does, there or missing.

    Each answer is judged by `label_evidence.judge` as a label of two. What is suggested is the label with the answers
    that look wrong the other way round, so that the difference names them; the score is that of the worst of them.
    Nothing is kept but the embeddings. Raises `PermanentError` where there is no encoder.
    """
    import numpy as np

    subjects, texts, labels = _read(question, names, progress)
    said = [set(label_sets.split(label)) for label in labels]
    version = resolver.resolve(Role.ENCODER)
    flagged: dict[int, list[_Doubt]] = {}
    report: dict[str, Any] = {"labels": {}, "too_few": [], "by_answer": {}}
    for place, name in enumerate(names):
        given = np.array([name in one for one in said], dtype=np.int64)
        report["labels"][name] = int(given.sum())
        if len(np.unique(given)) < 2:
            report["too_few"].append(name)
            continue
        corpus = Corpus(subjects, texts, given)
        found = label_evidence.judge(
            texts,
            given,
            n_labels=2,
            keys=subjects,
            embed=_embedding(corpus, version, progress),
            reads_chinese=resolver.can_work_in(version, CHINESE),
            progress=_of_answer(progress, place, len(names)),
        )
        table = columns.Columns(np.arange(len(texts)), given, found.probabilities, found.second, [f"no {name}", name])
        wrong = label_evidence.flag(table, judged=judged, precision=precision)
        if found.too_few:
            report["too_few"].append(name)
        report["by_answer"][name] = len(wrong.rows)
        report |= {"model": f"{found.method}; encoder {version.artifact_hash[:12]}", "embedded": len(found.embedded)}
        report |= {key: wrong.report[key] for key in ("threshold", "judged")}
        for row in wrong.rows:
            is_wrong = int(wrong.suggested[row]) != int(given[row])
            flagged.setdefault(row, []).append(_Doubt(name, is_wrong, float(wrong.scores[row]), wrong.methods[row]))
    suspicions = [_suspicion(subjects[row], labels[row], doubts, names) for row, doubts in flagged.items()]
    report["flagged"] = len(suspicions)
    suspicions.sort(key=lambda one: (one.score, one.subject))
    return Searched(len(texts), len(suspicions), suspicions, report)


@dataclass(frozen=True)
class _Doubt:
    """An answer that looks wrong in a label; `is_turned`: the models say the opposite outright."""

    name: str
    is_turned: bool
    score: float
    methods: Sequence[str]


def _suspicion(subject: str, given: str, doubts: Sequence[_Doubt], names: Sequence[str]) -> Suspicion:
    turned = {doubt.name for doubt in doubts if doubt.is_turned}
    suggested = label_sets.join(set(label_sets.split(given)) ^ turned, names)
    methods = dict.fromkeys(method for doubt in doubts for method in doubt.methods)
    return Suspicion(subject, given, suggested if turned else "", min(doubt.score for doubt in doubts), list(methods))


def _read(name: str, names: Sequence[str], progress: Progress) -> tuple[list[str], list[str], list[str]]:
    """Return subject, text and label of each label; not of what is gone, nor of labels with answers that are."""
    rows = Label.objects.filter(question=name).exclude(label="").order_by("pk").values_list("subject", "label")
    known = [(subject, label) for subject, label in rows if set(label_sets.split(label)) <= set(names)]
    asked, texts = question(name), list[str]()
    for start in range(0, len(known), BATCH):
        texts += asked.texts([subject for subject, _ in known[start : start + BATCH]])
        progress("Reading texts", len(texts), len(known))
    kept = [place for place, text in enumerate(texts) if text]
    return [known[place][0] for place in kept], [texts[place] for place in kept], [known[place][1] for place in kept]


def _embedding(corpus: Corpus, version: Any, progress: Progress) -> Callable[[npt.NDArray[np.int64]], Any]:
    return lambda rows: label_evidence.embed(corpus.of(rows), version, progress)


def _of_answer(progress: Progress, place: int, n_answers: int) -> Progress:
    """Return what tells how far all answers are, by how far one of them is."""
    return lambda stage, done, of: progress(stage, place * of + done, n_answers * of)
