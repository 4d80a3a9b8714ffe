"""The search for wrong labels of several answers: each is judged, and what is suggested names those that look wrong."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.utils import timezone

from core import label_sets
from core.refs import ref
from labeling.models import Label, LabelCheck, LabelIssue
from moderation.decisions import second_reviews
from moderation.models.reviews import ReviewItem
from tests import factories, people
from tests.training.test_label_checks import encoder
from tests.training.test_several_pipeline import NAME, SHARES, WORDS, remarks, text_about
from training import label_checks, several_checks

__all__ = ["encoder", "remarks"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("remarks")]


@pytest.fixture
def planted(encoder: Any) -> dict[str, tuple[str, str]]:
    """200 labelled reviews; of sixteen one answer was forgotten or is too many. Subject → (answer, right label)."""
    rng, wrong, labels, product = random.Random(4), dict[str, tuple[str, str]](), list[Label](), factories.product()
    for number in range(200):
        truth = {name for name in WORDS if rng.random() < SHARES[name] + 0.1}
        subject = ref(factories.customer_review(f"{text_about(sorted(truth), rng)} {number}", product=product))
        said = set(truth)
        if number % 13 == 0:
            name = rng.choice(list(WORDS))
            said ^= {name}
            wrong[subject] = (name, label_sets.join(truth, WORDS))
        labels.append(
            Label(
                question=NAME,
                subject=subject,
                label=label_sets.join(said, WORDS),
                method="single",
                n_votes=1,
                labelled_at=timezone.now(),
                source="label_studio",
            )
        )
    Label.objects.bulk_create(labels)
    return wrong


def test_a_planted_error_is_found_and_the_answer_is_named(planted: dict[str, tuple[str, str]]) -> None:
    label_checks.plan(NAME, reason="by hand", actor=people.ml_engineer())
    assert label_checks.run_next()
    check = LabelCheck.objects.get()
    assert (check.status, check.n_labels, check.last_error) == ("completed", 200, "")
    found = {issue.subject: issue for issue in LabelIssue.objects.all()}
    hits = found.keys() & planted.keys()
    assert len(hits) >= 4, f"{len(hits)} of {len(planted)}; on characters alone it is half of them"
    assert len(found.keys() - planted.keys()) <= 2
    assert all(found[subject].given == Label.objects.get(question=NAME, subject=subject).label for subject in found)
    turned = [found[subject].suggested == planted[subject][1] for subject in hits]
    assert sum(turned) >= len(hits) - 1, "what is suggested is the label with that answer the other way round"
    assert check.report["labels"]["delivery"] == Label.objects.filter(question=NAME, label__contains="delivery").count()
    assert set(check.report["by_answer"]) == set(WORDS)
    assert check.n_issues == check.report["flagged"] == len(found)
    assert second_reviews.open_second_reviews() == len(found)
    assert ReviewItem.objects.filter(question=NAME, purpose="second_review").count() == len(found)


def test_labels_that_it_cannot_judge_do_not_stop_it(planted: dict[str, tuple[str, str]]) -> None:
    first, second, third = Label.objects.filter(question=NAME)[:3]
    for label, said in ((first, "price+colour"), (second, ""), (third, "none")):
        Label.objects.filter(pk=label.pk).update(label=said)
    Label.objects.filter(question=NAME, label__contains="delivery").delete()
    heard: list[tuple[str, int, int]] = []
    found = several_checks.search(
        NAME, list(WORDS), judged=[], precision=0.5, progress=lambda *step: heard.append(step)
    )
    assert found.n_labels == Label.objects.filter(question=NAME).count() - 2, "an answer that is gone, and no label"
    assert found.report["too_few"] == ["delivery"]
    assert all(done <= of for _, done, of in heard)
    assert [one.score for one in found.suspicions] == sorted(one.score for one in found.suspicions)


def test_a_known_answer_may_be_of_several(planted: dict[str, tuple[str, str]]) -> None:
    item = factories.review_item(factories.customer_review("cheap and solid"), status="decided")
    ReviewItem.objects.filter(pk=item.pk).update(question=NAME)
    item.refresh_from_db()
    second_reviews.set_gold(item, label="price+quality", actor=people.administrator())
    item.refresh_from_db()
    assert item.gold_label == "price+quality"
