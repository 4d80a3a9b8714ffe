"""Votes of a file that come to nothing: a person of ours is asked, and what they say is the label."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from core.actors import SystemActor
from labeling.models import Label, LabelingTask, LabelIssue
from moderation.decisions import second_reviews, settling
from moderation.label_exchange.importing import File, import_labels
from moderation.label_exchange.preview import preview_labels
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out
from tests import people

pytestmark = pytest.mark.django_db
ACTOR = SystemActor("tests")


def bring(tmp_path: Path, *rows: tuple[str, str, str], name: str = "x.jsonl") -> Any:
    """Import votes: (text, label, rater)."""
    path = tmp_path / name
    path.write_text("".join(f"{json.dumps(dict(zip(('text', 'label', 'rater'), row, strict=True)))}\n" for row in rows))
    return import_labels(File(path), actor=ACTOR)


def push() -> None:
    for number, task in enumerate(LabelingTask.objects.filter(status="open")):
        LabelingTask.objects.filter(pk=task.pk).update(status="pushed", ls_task_id=700 + number)


def test_a_person_of_ours_breaks_a_tie(tmp_path: Path, rules: Any, answer: Any) -> None:
    run = bring(tmp_path, ("Even", "positive", "a"), ("Even", "negative", "b"), ("Clear", "neutral", "a"))
    assert run.counts["ties"] == 1
    assert second_reviews.open_second_reviews() == 1
    item = ReviewItem.objects.get()
    assert (item.purpose, item.strategy, item.customer_review.text) == ("label", "imported votes are tied", "Even")
    assert item.labeling_task is not None
    assert not item.labeling_task.shows_predictions
    assert second_reviews.open_second_reviews() == 0
    push()
    one = people.reviewer()
    assert handing_out.next_item(one) == item
    answer(item, one, sentiment="negative")
    settling.settle_decisions()
    assert Decision.objects.get().label == "negative"
    held = Label.objects.get(subject__contains=str(item.customer_review_id))
    assert (held.label, held.method, held.source) == ("negative", "single", "label_studio")
    assert LabelIssue.objects.get().status == "stale"


def test_what_is_asked_already_is_not_asked_twice(tmp_path: Path, rules: Any) -> None:
    bring(tmp_path, ("Even", "positive", "a"), ("Even", "negative", "b"))
    second_reviews.open_second_reviews()
    bring(tmp_path, ("Even", "neutral", "c"), name="y.jsonl")
    second_reviews.open_second_reviews()
    assert ReviewItem.objects.count() == 1


def test_few_ties_wait_at_a_time(tmp_path: Path, rules: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_reviews, "AT_ONCE", 3)
    bring(
        tmp_path,
        *((f"Even {n}", label, rater) for n in range(8) for label, rater in (("positive", "a"), ("negative", "b"))),
    )
    assert second_reviews.open_second_reviews() == 3
    assert second_reviews.open_second_reviews() == 0


@pytest.mark.parametrize("method", ["majority", "dawid_skene", "crowdlab"])
def test_a_dry_run_tells_what_the_import_comes_to_by_each_method(method: str, tmp_path: Path, rules: Any) -> None:
    rules(consensus_method=method)
    said = {"a": "pp", "b": "pn", "c": "ppn", "d": "nnp", "e": "n", "f": "pnu"}
    names = {"p": "positive", "n": "negative", "u": "neutral"}
    rows = [
        {"text": f"Text {text}", "external_id": text, "label": names[one], "rater": f"r{i}"}
        for text, labels in said.items()
        for i, one in enumerate(labels)
    ]
    path = tmp_path / "labels.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    told = preview_labels(File(path), actor=ACTOR)
    run = import_labels(File(path), actor=ACTOR)
    came = Counter(Label.objects.filter(question="sentiment").values_list("label", flat=True))
    assert (dict(told.labels), told.n_ties) == (dict(came), run.counts["ties"])
