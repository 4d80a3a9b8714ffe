"""What the votes of a file come to: by every method, and our people's turn where they are tied."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest

from labeling import imported_votes, labels
from labeling.labels import ImportedLabel, upsert_imported
from labeling.models import Label, LabelIssue, Vote

pytestmark = pytest.mark.django_db
KIND, NAMES = "sentiment", ("positive", "negative", "neutral")
NOW = dt.datetime(2026, 11, 2, 10, tzinfo=dt.UTC)
METHODS = ("majority", "dawid_skene", "crowdlab")
each_method = pytest.mark.parametrize("method", METHODS)


def bring(*brought: ImportedLabel, method: str, source: str = "import:1") -> None:
    """Bring rows in and settle them."""
    upsert_imported(KIND, brought, source=source, now=NOW, by_majority=method == "majority")
    imported_votes.settle(KIND, source=source, method=method)


def votes(subject: str, *given: str, start: int = 0) -> list[ImportedLabel]:
    """One vote a rater."""
    return [ImportedLabel(subject, label, f"import:{number}") for number, label in enumerate(given, start)]


def crowd(n: int, *, seed: int = 3) -> tuple[list[ImportedLabel], dict[str, str]]:
    """Two who are careful and three who mostly say *neutral*, and what is true."""
    rng, rows, truths = random.Random(seed), list[ImportedLabel](), {}
    for number in range(n):
        subject = f"s:{number:04}"
        truths[subject] = truth = rng.choice(NAMES)
        for rater, right in (("a", 0.95), ("b", 0.95), ("x", 0.3), ("y", 0.3), ("z", 0.3)):
            rows.append(ImportedLabel(subject, truth if rng.random() < right else "neutral", f"import:{rater}"))
    return rows, truths


@each_method
def test_every_method_makes_labels_of_a_files_votes(method: str) -> None:
    bring(*votes("s:1", "positive", "negative", "positive"), *votes("s:2", "neutral"), method=method)
    held = {label.subject: label for label in Label.objects.all()}
    assert (held["s:1"].label, held["s:1"].method, held["s:1"].n_votes) == ("positive", method, 3)
    assert held["s:1"].quality is not None
    assert 0.5 < held["s:1"].quality < 0.95
    assert (held["s:2"].label, held["s:2"].method, held["s:2"].quality) == ("neutral", "single", None)
    assert {label.source for label in held.values()} == {"import:1"}


def test_the_careful_outvote_more_who_guess() -> None:
    rows, truths = crowd(200)
    bring(*rows, method="majority")
    by_majority = dict(Label.objects.values_list("subject", "label"))
    bring(*rows, method="dawid_skene")
    held = dict(Label.objects.values_list("subject", "label"))
    right = {
        name: sum(found.get(subject) == truth for subject, truth in truths.items()) / len(truths)
        for name, found in (("majority", by_majority), ("dawid_skene", held))
    }
    assert right["dawid_skene"] > 0.9 > 0.8 > right["majority"]
    assert set(Label.objects.values_list("method", flat=True)) == {"dawid_skene"}


def test_what_our_people_decided_tells_how_far_the_crowd_can_be_believed() -> None:
    rows = [ImportedLabel(f"s:{n:03}", "positive", f"import:{rater}") for n in range(150) for rater in range(3)]
    bring(*rows, method="dawid_skene")
    believed = Label.objects.get(subject="s:149").quality or 0
    for n in range(100):  # half of what all of them say is wrong
        labels.record_label(
            KIND, f"s:{n:03}", label=("positive", "negative")[n % 2], method="single", quality=None, n_votes=1, at=NOW
        )
    bring(*rows, method="dawid_skene")
    less = Label.objects.get(subject="s:149").quality or 0
    assert less < 0.65 < 0.8 < believed


@each_method
def test_a_tie_is_put_before_our_people(method: str) -> None:
    bring(*votes("s:1", "positive", "negative"), *votes("s:2", "positive", "positive"), method=method)
    assert list(Label.objects.values_list("subject", flat=True)) == ["s:2"]
    issue = LabelIssue.objects.get()
    assert (issue.subject, issue.given, issue.methods, issue.status) == ("s:1", "", ["tie"], "open")
    bring(*votes("s:1", "positive", start=2), method=method, source="import:2")
    assert Label.objects.get(subject="s:1").label == "positive", "somebody broke it"
    assert LabelIssue.objects.get().status == "stale"


@each_method
def test_the_word_of_our_own_people_and_of_the_file_stays(method: str) -> None:
    labels.record_label(KIND, "s:1", label="negative", method="single", quality=None, n_votes=1, at=NOW)
    bring(
        ImportedLabel("s:2", "neutral"),
        *votes("s:1", "positive", "positive"),
        *votes("s:2", "positive", "negative"),
        method=method,
    )
    assert dict(Label.objects.values_list("subject", "label")) == {"s:1": "negative", "s:2": "neutral"}
    assert not LabelIssue.objects.exists()


def test_a_files_raters_are_judged_by_that_file_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    # Five who say the opposite of what two careful raters of the other file say would turn them around.
    rows, truths = crowd(120)
    against = {"positive": "negative", "negative": "positive", "neutral": "positive"}
    flipped = [ImportedLabel(f"t:{row.subject}", against[truths[row.subject]], row.rater) for row in rows]
    bring(*flipped, method="dawid_skene", source="import:9")
    bring(*rows, method="dawid_skene")
    held = dict(Label.objects.filter(source="import:1").values_list("subject", "label"))
    assert sum(held[subject] == truth for subject, truth in truths.items()) / len(truths) > 0.9


def test_many_subjects_are_settled_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imported_votes, "PAGE", 7)
    rows: list[Any] = [row for n in range(30) for row in votes(f"s:{n:02}", "positive", "positive", "negative")]
    bring(*rows, method="dawid_skene")
    assert Label.objects.count() == 30
    assert len(set(Label.objects.values_list("quality", flat=True))) == 1
    before = list(Label.objects.order_by("pk").values())
    imported_votes.settle(KIND, source="import:1", method="dawid_skene")
    assert list(Label.objects.order_by("pk").values()) == before, "again is nothing new"
    assert Vote.objects.count() == 90
