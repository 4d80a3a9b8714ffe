"""Labels, votes and embeddings as arrays."""

from __future__ import annotations

import numpy as np
import pytest
from django.utils import timezone

from labeling import columns, labels, votes
from labeling.models import Label, OutOfSample

pytestmark = pytest.mark.django_db
KIND, NAMES = "sentiment", ("positive", "negative", "neutral")


def label(subject: str, name: str) -> Label:
    return labels.record_label(KIND, subject, label=name, method="single", quality=None, n_votes=1, at=timezone.now())


def test_labels_come_with_the_probabilities_of_who_never_saw_them() -> None:
    one, two = label("s:1", "negative"), label("s:2", "neutral")
    label("s:3", "positive")
    Label.objects.create(
        question="copy_verdict", subject="s:1", label="accept", method="single", labelled_at=timezone.now()
    )
    rows = [("s:1", (0.5, 0.25, 0.25), None), ("s:2", (0.125, 0.125, 0.75), None)]
    assert columns.store_out_of_sample(KIND, NAMES, rows, model="a") == 2
    found = columns.read(KIND, NAMES)
    assert found.ids.tolist() == [one.pk, two.pk], "what no model was kept from is left out"
    assert found.given.tolist() == [1, 2]
    assert found.probabilities.tolist() == [[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]]
    assert found.second is None
    again = [(subject, row, (0.25, 0.25, 0.5)) for subject, row, _ in rows]
    columns.store_out_of_sample(KIND, NAMES, again, model="b")
    assert OutOfSample.objects.count() == 2
    assert columns.read(KIND, NAMES).second.tolist() == [[0.25, 0.25, 0.5]] * 2


def test_no_labels_are_empty_arrays() -> None:
    found = columns.read(KIND, NAMES)
    assert found.probabilities.shape == (0, 3)
    assert found.second is None
    assert len(votes.load(KIND)) == 0


def test_an_embedding_is_kept_until_its_text_changes() -> None:
    vector = np.array([0.6, 0.8], dtype=np.float32)
    columns.store_vectors(iter([("s:1", "hash", vector)]), encoder="e")
    assert columns.vectors(["s:1", "s:2"], ["hash", "hash"], encoder="e")["s:1"] == pytest.approx(vector, abs=1e-3)
    assert columns.vectors(["s:1"], ["other"], encoder="e") == {}
    assert columns.vectors(["s:1"], ["hash"], encoder="other") == {}


def test_votes_are_read_as_numbers() -> None:
    now = timezone.now()
    for subject, rater, name, assisted in (
        ("s:1", "user:2", "negative", True),
        ("s:1", "user:1", "positive", False),
        ("s:2", "user:1", "neutral", None),
    ):
        labels.record_vote(
            KIND,
            subject,
            rater=rater,
            label=name,
            purpose="label",
            at=now,
            suggestion="positive",
            is_assisted=assisted,
            seconds=2.5,
        )
    labels.record_vote(KIND, "s:9", rater="user:1", label="neutral", purpose="gold", at=now, expected="neutral")
    found = votes.load(KIND)
    said = {
        (found.subjects[i], found.rater_names[r]): (found.names[x], int(a))
        for i, r, x, a in zip(found.items, found.raters, found.labels, found.assisted, strict=True)
    }
    assert said == {
        ("s:1", "user:2"): ("negative", 1),
        ("s:1", "user:1"): ("positive", 0),
        ("s:2", "user:1"): ("neutral", -1),
    }
    assert found.days.tolist() == [now.toordinal() - votes.EPOCH] * 3
    assert len(votes.load(KIND, subjects=["s:1"])) == 2
    assert votes.load(KIND, purposes=["gold"]).expected.tolist() == [found.names.index("neutral")]
    assert len(found.where(found.assisted == 1)) == 1
