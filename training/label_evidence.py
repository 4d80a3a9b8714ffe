"""What models that never saw a text think of its label, and which labels that makes look wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings

from inference import artifacts, loader, resolver
from inference.models import Role
from labeling import columns
from labeling.label_config import load_interface
from labeling.models import Label

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

# How far a stage has come: its name, steps done, steps in all.
Progress = Callable[[str, int, int], None]
BATCH = 256


@dataclass(frozen=True)
class Corpus:
    """The labelled texts of a queue. Row i of each is about `subjects[i]`."""

    subjects: Sequence[str]
    texts: Sequence[str]
    given: npt.NDArray[np.int64]  # index into the queue's labels


@dataclass(frozen=True)
class Evidence:
    """What was computed, for the report of the search."""

    report: Mapping[str, Any] = field(default_factory=dict)


def gather(kind: str, names: Sequence[str], *, progress: Progress) -> Evidence:
    """Have models that did not see a text judge its label, for every label of the queue `kind`; keep what they say.

    One reads the embedding of the sentence encoder, the other the characters of the text, which carries the languages
    that the encoder does not know. Embeddings are kept, so the next search computes those of new texts only. Raises
    `PermanentError` where there is no encoder.
    """
    from labeling.quality import datalab
    from labeling.quality.probabilities import out_of_sample

    corpus = _corpus(kind, names, progress)
    vectors, encoder = _embed(corpus, progress)
    found = out_of_sample(
        corpus.texts, corpus.given, n_labels=len(names), keys=corpus.subjects, embeddings=vectors,
        progress=lambda done, of: progress("Judging texts by models that did not see them", done, of),
    )  # fmt: skip
    second, tuned = _with_fine_tuned(corpus, found.second, len(names), progress)
    rows = zip(corpus.subjects, found.probabilities, second, strict=True)
    model = f"{found.method}{tuned}; encoder {encoder[:12]}"
    columns.store_out_of_sample(kind, names, rows, model=model)
    counts = {name: int((corpus.given == number).sum()) for number, name in enumerate(names)}
    progress("Looking for copies, strangers and drift", 0, 1)
    seen = {kind: [check.n, round(check.score, 4)] for kind, check in datalab.inspect(corpus.given, vectors).items()}
    return Evidence({"datalab": seen, "model": model, "labels": counts, "too_few": [names[i] for i in found.too_few]})


def _with_fine_tuned(corpus: Corpus, second: Floats, n_labels: int, progress: Progress) -> tuple[Floats, str]:
    """Return what the second model thinks, pooled with a fine-tuned one where there are few enough texts for the time.

    LABEL_CHECKS["FINE_TUNE_UP_TO"] says how many; `bench/label_quality_errors.py --fine-tuned` measures what it is worth.
    """
    if len(corpus.texts) > int(settings.LABEL_CHECKS["FINE_TUNE_UP_TO"]):
        return second, ""
    import numpy as np

    from labeling.quality.probabilities import fold_of, pool
    from training.trainers.folds import fine_tuned

    folds = np.array([fold_of(text.strip() or key) for text, key in zip(corpus.texts, corpus.subjects, strict=True)])
    base = artifacts.path_for(resolver.resolve(Role.ENCODER).artifact_hash)
    tuned = fine_tuned(
        corpus.texts, corpus.given, folds, n_labels=n_labels, base=base,
        progress=lambda done, of: progress("Fine-tuning models that do not see the texts they judge", done, of),
    )  # fmt: skip
    return pool(second, tuned), " and a fine-tuned encoder"


def _corpus(kind: str, names: Sequence[str], progress: Progress) -> Corpus:
    import numpy as np

    rows = list(Label.objects.filter(kind=kind, label__in=names).order_by("pk").values_list("subject", "label"))
    interface, texts = load_interface(kind), list[str]()
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


def _embed(corpus: Corpus, progress: Progress) -> tuple[Floats, str]:
    """Return the embedding of each text, and the hash of the encoder; those that are kept already are not made again."""
    import numpy as np

    version = resolver.resolve(Role.ENCODER)
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
    return np.stack([found[subject] for subject in corpus.subjects]), encoder


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
    report = {"flagged": int(found.flagged.sum()), "threshold": threshold, "judged": len(judged),
              "by_method": {method: int(mask.sum()) for method, mask in found.by_method.items()}}  # fmt: skip
    return Found(rows, found.scores, found.suggested, methods, report)
