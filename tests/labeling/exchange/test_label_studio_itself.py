"""Through the real Label Studio: it takes what we export, and what it exports then comes back the same."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from catalog.models import CustomerReview
from core.actors import SystemActor
from core.refs import ref
from labeling import labels
from labeling.models import Label, Vote
from labeling.question import question
from moderation.label_exchange.exporting import export_labels
from moderation.label_exchange.importing import File, import_labels
from tests import factories
from tests.label_studio_server import SERVICE_TOKEN, Desk

pytestmark = [pytest.mark.label_studio, pytest.mark.django_db]
ACTOR = SystemActor("tests")


def _into_label_studio(desk: Desk, path: Path, name: str) -> int:
    """Import our export into a fresh project; returns its id."""
    project = desk.service.projects.create(title=f"{name} again", label_config=question(name).config())
    tasks = json.loads(path.read_text())
    done: Any = desk.service.projects.import_tasks(project.id, request=tasks, return_task_ids=True)
    assert len(done.task_ids) == len(tasks)
    return int(project.id)


def _out_of_label_studio(desk: Desk, project: int, path: Path) -> Path:
    """Export a project as people do in its page."""
    answer = httpx.get(
        f"{desk.url}/api/projects/{project}/export",
        params={"exportType": "JSON"},
        headers={"Authorization": f"Token {SERVICE_TOKEN}"},
        timeout=60,
    )
    answer.raise_for_status()
    path.write_bytes(answer.content)
    return path


def test_votes_come_back_from_label_studio_as_they_went(label_studio: Desk, tmp_path: Path) -> None:
    for i in range(5):
        review = factories.customer_review(f"Text {i} <b>&</b> more, 好用", external_id=f"r-{i}")
        for person, label in ((71, "positive"), (72, "positive"), (73, ("neutral", "negative")[i % 2])):
            labels.record_vote(
                "sentiment",
                ref(review),
                rater=f"user:{person}",
                label=label,
                purpose="label",
                at=review.created_at,
                seconds=3.5,
            )
        labels.record_label(
            "sentiment",
            ref(review),
            label="positive",
            method="majority",
            quality=2 / 3,
            n_votes=3,
            at=review.created_at,
        )
    said = Counter(Vote.objects.values_list("subject", "label", "seconds", "voted_at"))
    export_labels(tmp_path / "ours.json", question="sentiment", with_votes=True, actor=ACTOR)
    project = _into_label_studio(label_studio, tmp_path / "ours.json", "sentiment")
    theirs = _out_of_label_studio(label_studio, project, tmp_path / "theirs.json")

    run = import_labels(File(theirs), actor=ACTOR)
    assert (run.n_created, run.n_unchanged) == (0, 15), "our own people's votes are back, and count once"
    Vote.objects.all().delete(), Label.objects.all().delete()
    run = import_labels(File(theirs), actor=ACTOR)
    assert (run.n_created, run.n_bad, run.counts["labels"], run.counts["texts"]) == (15, 0, 5, 0)
    assert Counter(Vote.objects.values_list("subject", "label", "seconds", "voted_at")) == said
    assert Vote.objects.values("rater").distinct().count() == 3, "each person is one rater still"
    assert set(Label.objects.values_list("label", "n_votes")) == {("positive", 3)}
    assert CustomerReview.objects.count() == 5


def test_an_answer_that_was_changed_there_is_of_who_changed_it(label_studio: Desk, tmp_path: Path) -> None:
    review = factories.customer_review("Good", external_id="r-1")
    labels.record_vote(
        "sentiment", ref(review), rater="user:71", label="positive", purpose="label", at=review.created_at
    )
    labels.record_label(
        "sentiment",
        ref(review),
        label="positive",
        method="single",
        quality=None,
        n_votes=1,
        at=review.created_at,
    )
    export_labels(tmp_path / "ours.json", question="sentiment", with_votes=True, actor=ACTOR)
    project = _into_label_studio(label_studio, tmp_path / "ours.json", "sentiment")
    (task,) = list(label_studio.service.tasks.list(project=project, fields="all"))
    (annotation,) = task.annotations
    result = question("sentiment").result_of("negative")
    label_studio.reviewer.annotations.update(annotation["id"], result=[{**annotation["result"][0], **result[0]}])
    import_labels(File(_out_of_label_studio(label_studio, project, tmp_path / "theirs.json")), actor=ACTOR)
    assert sorted(Vote.objects.values_list("label", "source")) == [
        ("negative", Vote.objects.get(label="negative").source),
        ("positive", "label_studio"),
    ]
    assert Vote.objects.get(label="negative").rater.startswith("import:")


def test_verdicts_on_copy_can_be_imported_there(label_studio: Desk, tmp_path: Path) -> None:
    candidate = factories.candidate("A mug that holds 900 ml.")
    factories.finding(candidate, "900 ml")
    labels.record_label(
        "copy_verdict",
        ref(candidate),
        label="reject",
        method="single",
        quality=None,
        n_votes=1,
        at=candidate.created_at,
    )
    export_labels(tmp_path / "ours.json", question="copy_verdict", actor=ACTOR)
    project = _into_label_studio(label_studio, tmp_path / "ours.json", "copy_verdict")
    (task,) = json.loads(_out_of_label_studio(label_studio, project, tmp_path / "theirs.json").read_text())
    interface = question("copy_verdict")
    answer = interface.parse(task["annotations"][0]["result"], task["data"])
    assert (interface.label_of(answer), task["data"]["subject"]) == ("reject", ref(candidate))
