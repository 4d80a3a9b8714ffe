"""The search for wrong labels: from texts to flags that a second person gets, in a worker, and after a crash."""

from __future__ import annotations

import random
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from audit.models import LedgerEntry
from catalog.models import CustomerReview
from core.exceptions import PermanentError
from core.refs import ref
from inference import artifacts
from labeling import labels
from labeling.models import Label, LabelCheck, LabelIssue, OutOfSample, TextVector
from moderation.decisions import second_reviews
from moderation.models.reviews import ReviewItem
from tests import factories, people
from tests.model_store import tiny_bert
from tests.training.shop import WORDS, label_reviews
from training import label_checks, label_evidence

pytestmark = pytest.mark.django_db
KIND = "sentiment"


@pytest.fixture
def encoder(settings: Any) -> Any:
    """A sentence encoder that counts words, the champion of its role."""
    settings.INFERENCE = replace(
        settings.INFERENCE, backends={**settings.INFERENCE.backends, "word_vectors": "tests.backends.WordVectors"}
    )
    return factories.model_version("encoder", backend="word_vectors", artifact_hash="")


@pytest.fixture
def planted(encoder: Any) -> set[str]:
    """150 labelled reviews, twelve of them with a wrong label; returns the subjects of those."""
    rng, wrong, product = random.Random(4), set(), factories.product()
    for number in range(150):
        truth = rng.choice(list(WORDS))
        text = " ".join(rng.choices(WORDS[truth], k=8)) + f" {number}"
        subject, said = ref(factories.customer_review(text, product=product)), truth
        if number % 13 == 0:
            said = rng.choice([label for label in WORDS if label != truth])
            wrong.add(subject)
        labels.record_label(KIND, subject, label=said, method="single", quality=None, n_votes=1, at=timezone.now())
    return wrong


def test_planted_errors_are_found_and_put_before_a_second_person(planted: set[str]) -> None:
    check = label_checks.plan(KIND, reason="by hand", actor=people.ml_engineer())
    assert label_checks.plan(KIND, reason="again", actor=people.ml_engineer()) == check, "one at a time"
    assert label_checks.run_next()
    assert not label_checks.run_next()
    check.refresh_from_db()
    assert (check.status, check.n_labels, check.last_error) == ("completed", 150, "")
    found = set(LabelIssue.objects.values_list("subject", flat=True))
    assert len(found & planted) >= 11, f"{len(found & planted)} of {len(planted)}"
    assert len(found - planted) <= 8
    worst = LabelIssue.objects.order_by("score").first()
    assert "combined" in worst.methods
    assert worst.suggested != worst.given
    assert second_reviews.open_second_reviews() == len(found)
    assert ReviewItem.objects.filter(purpose="second_review").count() == len(found)
    assert Label.objects.count() == 150, "nothing is dropped or changed by itself"
    assert LedgerEntry.objects.filter(action="labeling.check.completed").count() == 1


def test_the_next_search_computes_only_what_is_new(planted: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    label_checks.plan(KIND, reason="first", actor=label_checks.CHECKER)
    label_checks.run_next()
    assert TextVector.objects.count() == OutOfSample.objects.count() == 150
    row = CustomerReview.objects.first()
    CustomerReview.objects.filter(pk=row.pk).update(text="lovely and new")
    fresh = factories.customer_review("awful, cracked, useless", product=row.product)
    labels.record_label(KIND, ref(fresh), label="negative", method="single", quality=None, n_votes=1, at=timezone.now())
    embedded: list[int] = []
    real = label_evidence.columns.store_vectors

    def count(rows: Any, **kwargs: Any) -> int:
        kept = list(rows)
        embedded.append(len(kept))
        return real(iter(kept), **kwargs)

    monkeypatch.setattr(label_evidence.columns, "store_vectors", count)
    label_checks.plan(KIND, reason="second", actor=label_checks.CHECKER)
    label_checks.run_next()
    assert embedded == [2], "the new one, and the one whose text changed"
    assert OutOfSample.objects.count() == 151


def test_a_search_whose_worker_died_is_taken_up_by_another(planted: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    check = label_checks.plan(KIND, reason="by hand", actor=label_checks.CHECKER)
    monkeypatch.setattr(label_evidence, "gather", lambda *args, **kwargs: 1 / 0)
    assert label_checks.run_next()
    check.refresh_from_db()
    assert (check.status, check.n_attempts) == ("running", 1)
    assert "ZeroDivisionError" in check.last_error
    assert not label_checks.run_next(), "it rests"
    monkeypatch.undo()
    LabelCheck.objects.update(lease_expires_at=timezone.now() - timezone.timedelta(seconds=1))
    assert label_checks.run_next()
    check.refresh_from_db()
    assert check.status == "completed"


def test_a_search_is_planned_when_enough_is_new(planted: set[str]) -> None:
    assert label_checks.plan_due() == 1
    assert LabelCheck.objects.get().reason == "the first search"
    assert label_checks.plan_due() == 0, "one waits"
    label_checks.run_next()
    assert label_checks.plan_due() == 0, "nothing is new"
    Label.objects.filter(pk__in=Label.objects.values("pk")[:15]).update(labelled_at=timezone.now())
    assert label_checks.plan_due() == 1
    assert LabelCheck.objects.first().reason == "15 labels are new"


def test_who_may_start_a_search_and_when(planted: set[str]) -> None:
    for person in (people.reviewer(), people.senior(), people.auditor()):
        with pytest.raises(PermissionDenied):
            label_checks.plan(KIND, reason="x", actor=person)
    with pytest.raises(PermanentError, match="too few"):
        label_checks.plan("copy_verdict", reason="x", actor=people.administrator())


def test_the_threshold_follows_what_second_people_found(planted: set[str], settings: Any) -> None:
    label_checks.plan(KIND, reason="first", actor=label_checks.CHECKER)
    label_checks.run_next()
    n = LabelIssue.objects.count()
    for number in range(80):
        LabelIssue.objects.create(
            question=KIND,
            subject=f"s:{number}",
            given="positive",
            score=number / 80,
            methods=["combined"],
            status="confirmed" if number < 40 else "dismissed",
            judged_at=timezone.now(),
        )
    judged = label_checks._judged(KIND)
    from labeling.quality.label_errors import threshold_for

    threshold = threshold_for(judged, precision=0.8)
    assert 0.4 < threshold < 0.6
    assert threshold_for(judged[:10], precision=0.8) is None
    assert n <= 20


def test_a_worker_that_lost_its_search_stops(planted: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    check = label_checks.plan(KIND, reason="by hand", actor=label_checks.CHECKER)
    other = uuid.uuid4()

    def taken_over(*args: Any, progress: Any, **kwargs: Any) -> Any:
        LabelCheck.objects.update(lease_token=other, stage="of the other")
        progress("of the first", 1, 2)

    monkeypatch.setattr(label_evidence, "gather", taken_over)
    assert label_checks.run_next()
    check.refresh_from_db()
    assert (check.lease_token, check.stage, check.last_error) == (other, "of the other", "")


def test_a_search_that_goes_on_keeps_its_lease_however_long_it_takes(
    planted: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    label_checks.plan(KIND, reason="by hand", actor=label_checks.CHECKER)
    real = label_evidence.gather

    def slow(*args: Any, **kwargs: Any) -> Any:
        LabelCheck.objects.update(lease_expires_at=timezone.now())  # its heartbeat ends after LONGEST_WORK
        return real(*args, **kwargs)

    monkeypatch.setattr(label_evidence, "gather", slow)
    assert label_checks.run_next()
    assert LabelCheck.objects.get().status == "completed"


def test_with_few_enough_labels_an_encoder_is_fine_tuned_on_each_fold(tmp_path: Path, settings: Any) -> None:
    settings.LABEL_CHECKS = replace(settings.LABEL_CHECKS, fine_tune_up_to=200)
    folder = artifacts.store_directory(tiny_bert(tmp_path / "encoder"))
    factories.model_version("encoder", artifact_hash=folder)
    label_reviews(120)
    stages: list[tuple[str, int, int]] = []
    evidence = label_evidence.gather(KIND, tuple(WORDS), progress=lambda *stage: stages.append(stage))
    assert "and a fine-tuned encoder" in evidence.report["model"]
    assert OutOfSample.objects.count() == 120
    assert OutOfSample.objects.filter(second=None).count() == 0
    shares = [n / of for stage, n, of in stages if stage.startswith("Fine-tuning")]
    assert shares == sorted(shares), "the bar goes forward through all folds"
    assert shares[-1] == 1
