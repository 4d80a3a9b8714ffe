"""Figures about labels and about people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from labeling import labels
from labeling.models import Vote
from moderation.decisions import settling
from moderation.queues import handing_out
from monitoring import label_quality, own_work
from tests import factories, people
from tests.console.test_label_quality import KIND, labelled_queue
from tests.moderation.test_panels import push

pytestmark = pytest.mark.django_db


def test_known_answers_count_for_those_who_were_tested_only() -> None:
    ada, ben, *_ = labelled_queue(60)
    subjects = list(Vote.objects.filter(rater=f"user:{ada.pk}").values_list("subject", flat=True))[:25]
    for subject in subjects:
        said = Vote.objects.get(subject=subject, rater=f"user:{ada.pk}")
        labels.record_vote(
            KIND,
            subject,
            rater=f"user:{ben.pk}",
            label=said.label,
            purpose="gold",
            at=said.voted_at,
            expected=said.label,
        )
    cards = {row.rater: row.card for row in label_quality.scorecards(KIND)}
    assert (cards[f"user:{ben.pk}"].gold.value, cards[f"user:{ben.pk}"].gold.n) == (1.0, 25)
    assert cards[f"user:{ada.pk}"].gold.n == 0
    own = {queue.question: queue.card for queue in own_work.of(ben).queues}
    assert own[KIND] == cards[f"user:{ben.pk}"]


def test_reasons_and_fixes_of_several_people_are_compared(settings: Any) -> None:
    rules = settings.MODERATION.queue | {"num_reviewers_per_item": 2, "rereview_percent": 0}
    settings.MODERATION = replace(settings.MODERATION, queue=rules)
    one, two = people.reviewer(), people.reviewer()
    for number in range(25):
        factories.candidate(
            f"A sea green stoneware mug that holds 350 ml, number {number}.", status="in_review", rank=1
        )
    settling.open_reviews()
    push()
    for number in range(25):
        for person, reason in ((one, "tone"), (two, "tone" if number % 5 else "grammar")):
            item = handing_out.next_item(person)
            assert item is not None
            text = f"A mug of stoneware that holds 350 ml, number {number}{'' if person == one else '!'}"
            factories.answer(item, person, verdict="fix", fixed_text=text, reason_codes=[reason])
            type(item.labeling_task).objects.filter(pk=item.labeling_task_id).update(settled_at=item.created_at)
            settling.settle_decisions()
    found = dict(label_quality.quality_of("copy_verdict").beyond_labels)
    assert found["fixes, by edit distance"].n == 25
    assert 0.9 < found["fixes, by edit distance"].value < 1
    assert 0.8 < found["fixes, by chrF"].value < 1
    assert found["reasons (α, MASI)"].value < 0.9
