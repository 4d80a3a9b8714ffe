"""What models that never saw a text think of its label, and which labels that makes look wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from inference import artifacts, loader, resolver
from inference.models import ModelVersion, Role
from labeling import columns
from labeling.issues import Suspicion
from labeling.models import Label
from labeling.question import question

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]
    Ints = npt.NDArray[np.int64]

# How far a stage has come: its name, steps done, steps in all.
Progress = Callable[[str, int, int], None]
BATCH = 256
CHINESE = "zh-Hans"
# Embeddings of fewer texts say nothing that their characters do not: too few to fit to in five folds.
FEWEST_EMBEDDED = 50


@dataclass(frozen=True)
class Corpus:
    """The labelled texts of a queue. Row i of each is about `subjects[i]`."""

    subjects: Sequence[str]
    texts: Sequence[str]
    given: Ints  # index into the queue's labels

    def of(self, rows: Ints) -> Corpus:
        """Return these rows alone."""
        return Corpus([self.subjects[row] for row in rows], [self.texts[row] for row in rows], self.given[rows])


@dataclass(frozen=True)
class Evidence:
    """What was computed, for the report of the search."""

    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Searched:
    """What a search came to: labels that were read, how many of them look wrong, which, worst first, and its report."""

    n_labels: int
    n_issues: int
    suspicions: Iterable[Suspicion]
    report: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Judgement:
    """What two models that did not see a text think of its label, (n, n_labels) each, and how they came to it.

    `embedded` (m,): the rows that the sentence encoder reads, and `vectors` (m, d) of these. `too_few`: labels that are
    too rare to be judged.
    """

    probabilities: Floats
    second: Floats
    embedded: Ints
    vectors: Floats
    too_few: Sequence[int]
    method: str


def judge(
    texts: Sequence[str],
    given: Ints,
    *,
    n_labels: int,
    keys: Sequence[str],
    embed: Callable[[Ints], Floats],
    reads_chinese: bool = False,
    tune: Callable[[Ints], Floats] | None = None,
    progress: Progress = lambda *stage: None,
) -> Judgement:
    """Have models that did not see a text judge its label.

    What `bench/label_quality_errors.py` measures is this function.

    One reads the embedding of the sentence encoder, the other the characters of the text. Chinese is read by its
    characters alone, unless the encoder `reads_chinese`: of the one that ships most of its signs are unknown, and what
    that says makes the flags worse. `embed` returns the embeddings (m, d) of the rows it is given; `tune`, where an
    encoder is fine-tuned on each fold as well, what those say of these rows (m, n_labels).
    """
    import numpy as np

    from inference.backends.by_language import OTHER, script_of
    from labeling.quality.probabilities import out_of_sample, pool

    rows = np.flatnonzero([reads_chinese or script_of(text) == OTHER for text in texts])
    if len(rows) < FEWEST_EMBEDDED:
        rows = rows[:0]
    vectors = embed(rows) if len(rows) else np.zeros((0, 0), dtype=np.float32)
    found = out_of_sample(
        texts,
        given,
        n_labels=n_labels,
        keys=keys,
        embeddings=vectors if len(rows) else None,
        embedded=rows,
        progress=lambda done, of: progress("Judging texts by models that did not see them", done, of),
    )
    second, tuned = found.second, ""
    if tune and len(rows):
        second, tuned = second.copy(), " and a fine-tuned encoder"
        second[rows] = pool(second[rows], tune(rows))
    return Judgement(found.probabilities, second, rows, vectors, found.too_few, found.method + tuned)


def gather(question: str, names: Sequence[str], *, progress: Progress) -> Evidence:
    """`judge` every label of the queue `question`; keep what the models say, and the embeddings, for the next search.

    Raises `PermanentError` where there is no encoder.
    """
    from labeling.quality import datalab

    corpus, version = _corpus(question, names, progress), resolver.resolve(Role.ENCODER)
    found = judge(
        corpus.texts,
        corpus.given,
        n_labels=len(names),
        keys=corpus.subjects,
        embed=lambda rows: embed(corpus.of(rows), version, progress),
        reads_chinese=resolver.can_work_in(version, CHINESE),
        tune=_tuner(corpus, version, len(names), progress),
        progress=progress,
    )
    rows = zip(corpus.subjects, found.probabilities, found.second, strict=True)
    model = f"{found.method}; encoder {version.artifact_hash[:12]}"
    columns.store_out_of_sample(question, names, rows, model=model)
    counts = {name: int((corpus.given == number).sum()) for number, name in enumerate(names)}
    progress("Looking for copies, strangers and drift", 0, 1)
    seen = datalab.inspect(corpus.given[found.embedded], found.vectors) if len(found.embedded) else {}
    return Evidence(
        {
            "datalab": {check: [about.n, round(about.score, 4)] for check, about in seen.items()},
            "model": model,
            "labels": counts,
            "embedded": len(found.embedded),
            "too_few": [names[label] for label in found.too_few],
        }
    )


def _tuner(corpus: Corpus, version: ModelVersion, n_labels: int, progress: Progress) -> Callable[[Ints], Floats] | None:
    """Return what fine-tunes the encoder on each fold, where there are few enough texts for the time it takes.

    LABEL_CHECKS["FINE_TUNE_UP_TO"] says how many; `bench/label_quality_errors.py --fine-tuned` measures what it is
    worth.
    """
    if len(corpus.texts) > settings.LABEL_CHECKS.fine_tune_up_to:
        return None
    base = artifacts.path_for(version.artifact_hash)
    watched = partial(progress, "Fine-tuning models that do not see the texts they judge")
    return lambda rows: fine_tuned_folds(corpus.of(rows), n_labels=n_labels, base=base, progress=watched)


def fine_tuned_folds(
    corpus: Corpus, *, n_labels: int, base: Path, progress: Callable[[int, int], None] = lambda done, of: None
) -> Floats:
    """Return what encoders that were fine-tuned on the other folds say of the texts of `corpus`, (n, n_labels)."""
    import numpy as np

    from labeling.quality.probabilities import fold_of
    from training.trainers.folds import fine_tuned

    folds = np.array([fold_of(text.strip() or key) for text, key in zip(corpus.texts, corpus.subjects, strict=True)])
    return fine_tuned(corpus.texts, corpus.given, folds, n_labels=n_labels, base=base, progress=progress)


def _corpus(name: str, names: Sequence[str], progress: Progress) -> Corpus:
    import numpy as np

    rows = list(Label.objects.filter(question=name, label__in=names).order_by("pk").values_list("subject", "label"))
    interface, texts = question(name), list[str]()
    for start in range(0, len(rows), BATCH):
        texts += interface.texts([subject for subject, _ in rows[start : start + BATCH]])
        progress("Reading texts", len(texts), len(rows))
    # What is gone cannot be asked about.
    kept = [i for i, text in enumerate(texts) if text]
    return Corpus(
        [rows[i][0] for i in kept],
        [texts[i] for i in kept],
        np.array([list(names).index(rows[i][1]) for i in kept], dtype=np.int64),
    )


def embed(corpus: Corpus, version: ModelVersion, progress: Progress) -> Floats:
    """Return the embedding of each text by the encoder `version`; those that are kept already are not made again."""
    import numpy as np

    encoder = version.artifact_hash
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in corpus.texts]
    found: dict[str, Floats] = {}
    for part in _batches(len(hashes)):
        found |= columns.vectors(corpus.subjects[part], hashes[part], encoder=encoder)
    missing = [i for i, subject in enumerate(corpus.subjects) if subject not in found]
    # Alike lengths together: a batch takes as long as its longest text.
    missing.sort(key=lambda i: len(corpus.texts[i]))
    for part in _batches(len(missing)):
        rows = missing[part]
        fresh = loader.load_encoder(version).encode([corpus.texts[i] for i in rows])
        columns.store_vectors(
            ((corpus.subjects[i], hashes[i], vector) for i, vector in zip(rows, fresh, strict=True)), encoder=encoder
        )
        found |= {corpus.subjects[i]: vector for i, vector in zip(rows, fresh, strict=True)}
        progress("Embedding texts", min(part.stop, len(missing)), len(missing))
    return np.stack([found[subject] for subject in corpus.subjects])


def _batches(n: int) -> Iterator[slice]:
    return (slice(start, min(start + BATCH, n)) for start in range(0, n, BATCH))


@dataclass(frozen=True)
class Found:
    """Labels that look wrong: `rows` of the table, worst first; scores and suggestions for every row of it."""

    rows: Sequence[int]
    scores: npt.NDArray[np.float32]
    suggested: npt.NDArray[np.int64]
    methods: Mapping[int, Sequence[str]]
    report: Mapping[str, Any] = field(default_factory=dict)


def flag(table: columns.Columns, *, judged: Sequence[tuple[float, bool]], precision: float) -> Found:
    """Return the labels of `table` that look wrong by both models together, each with the methods that flag it too.

    `judged`: score and verdict of earlier flags that a second person has looked at. Where there are enough of them, the
    threshold is where flags were right at least `precision` of the time; until then it is cleanlab's.
    """
    from labeling.quality import label_errors

    found = label_errors.find(table.given, table.probabilities, second=table.second)
    threshold = label_errors.threshold_for(judged, precision=precision)
    flagged = found.flagged if threshold is None else found.flagged & (found.scores <= threshold)
    rows = sorted(flagged.nonzero()[0].tolist(), key=lambda row: float(found.scores[row]))
    methods = {row: [method for method, mask in found.by_method.items() if mask[row]] for row in rows}
    report = {
        "flagged": int(found.flagged.sum()),
        "threshold": threshold,
        "judged": len(judged),
        "by_method": {method: int(mask.sum()) for method, mask in found.by_method.items()},
    }
    return Found(rows, found.scores, found.suggested, methods, report)
