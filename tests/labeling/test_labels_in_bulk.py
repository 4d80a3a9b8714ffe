"""Votes and labels that a file brings: majorities, ties, and the word of our own people, which stays."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from labeling import labels
from labeling.labels import ImportedLabel, UpsertCounts, count_ties, upsert_imported
from labeling.models import Label, LabelIssue, Vote

pytestmark = pytest.mark.django_db
KIND = "sentiment"
NOW = dt.datetime(2026, 11, 2, 10, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=1)


def take(*brought: ImportedLabel, source: str = "import:1", now: dt.datetime = NOW) -> UpsertCounts:
    """Bring rows in."""
    return upsert_imported(KIND, brought, source=source, now=now)


def votes(subject: str, *given: str, start: int = 0) -> list[ImportedLabel]:
    """One vote a rater."""
    return [ImportedLabel(subject, label, f"import:{number}") for number, label in enumerate(given, start)]


def held(subject: str = "s:1") -> dict[str, Any] | None:
    """The label of a subject."""
    return (
        Label.objects.filter(question=KIND, subject=subject)
        .values("label", "method", "quality", "n_votes", "source")
        .first()
    )


def test_a_stated_label_is_the_label_and_nobodys_vote() -> None:
    assert take(ImportedLabel("s:1", "positive", at=LATER)) == UpsertCounts(1, 0, 0)
    assert held() == {"label": "positive", "method": "import", "quality": None, "n_votes": 1, "source": "import:1"}
    assert Label.objects.get().labelled_at == LATER
    assert not Vote.objects.exists()


def test_most_of_the_votes_make_the_label() -> None:
    assert take(*votes("s:1", "positive", "negative", "positive"), *votes("s:2", "neutral")) == UpsertCounts(4, 0, 0)
    assert held() == {
        "label": "positive",
        "method": "majority",
        "quality": pytest.approx(2 / 3),
        "n_votes": 3,
        "source": "import:1",
    }
    assert held("s:2") == {"label": "neutral", "method": "single", "quality": None, "n_votes": 1, "source": "import:1"}
    vote = Vote.objects.get(subject="s:2")
    assert (vote.purpose, vote.source, vote.voted_at, vote.is_assisted) == ("label", "import:1", NOW, None)


def test_an_even_split_makes_none_until_somebody_breaks_it() -> None:
    take(*votes("s:1", "positive", "negative"))
    assert held() is None
    assert count_ties(KIND, source="import:1") == 1
    take(*votes("s:1", "positive", start=2))
    assert (label := held()) is not None
    assert label["label"] == "positive"
    take(*votes("s:1", "negative", start=3))
    assert held() is None, "even again"


def test_a_stated_label_stands_above_votes_before_it_and_after_it() -> None:
    take(*votes("s:1", "positive", "positive"))
    take(ImportedLabel("s:1", "negative"))
    take(*votes("s:1", "positive", "negative", start=2))
    assert (label := held()) is not None
    assert (label["label"], label["method"]) == ("negative", "import")


def test_what_is_the_same_already_is_not_written_again() -> None:
    rows = [*votes("s:1", "positive", "negative", "positive"), ImportedLabel("s:2", "neutral", at=NOW)]
    take(*rows)
    before = (
        list(Vote.objects.values_list("pk", "source", "voted_at")),
        list(Label.objects.values_list("source", "labelled_at")),
    )
    assert take(*rows, source="import:2", now=LATER) == UpsertCounts(0, 0, 0)
    assert before == (
        list(Vote.objects.values_list("pk", "source", "voted_at")),
        list(Label.objects.values_list("source", "labelled_at")),
    )


def test_a_later_word_of_the_same_rater_takes_the_place_of_the_one_before() -> None:
    take(*votes("s:1", "positive", "negative", "positive"))
    assert take(*votes("s:1", "negative"), source="import:2") == UpsertCounts(0, 1, 0)
    assert (label := held()) is not None
    assert (label["label"], label["source"]) == ("negative", "import:2")


def test_the_word_of_our_own_people_stays() -> None:
    labels.record_vote(KIND, "s:1", rater="user:1", label="negative", purpose="label", at=NOW)
    labels.record_label(KIND, "s:1", label="negative", method="single", quality=None, n_votes=1, at=NOW)
    before = Label.objects.values().get()
    assert take(ImportedLabel("s:1", "positive"), *votes("s:1", "positive", "positive")) == UpsertCounts(2, 0, 3)
    assert Label.objects.values().get() == before
    assert Vote.objects.get(rater="user:1").label == "negative"
    assert count_ties(KIND, source="import:1") == 0


def test_our_own_people_overrule_an_import() -> None:
    take(ImportedLabel("s:1", "positive"))
    labels.record_label(KIND, "s:1", label="negative", method="single", quality=None, n_votes=1, at=LATER)
    take(ImportedLabel("s:1", "positive"))
    assert (label := held()) is not None
    assert (label["label"], label["source"]) == ("negative", "label_studio")


def test_votes_of_our_own_people_are_none_of_an_imported_majority() -> None:
    labels.record_vote(KIND, "s:1", rater="user:1", label="negative", purpose="label", at=NOW)
    take(*votes("s:1", "positive"))
    assert (label := held()) is not None
    assert (label["label"], label["n_votes"]) == ("positive", 1)


def test_a_doubt_about_a_label_that_is_another_now_is_stale() -> None:
    take(ImportedLabel("s:1", "positive"), ImportedLabel("s:2", "positive"))
    for subject in ("s:1", "s:2"):
        LabelIssue.objects.create(question=KIND, subject=subject, methods=["cleanlab"], given="positive", score=0.1)
    take(ImportedLabel("s:1", "negative"), ImportedLabel("s:2", "positive"))
    assert dict(LabelIssue.objects.values_list("subject", "status")) == {"s:1": "stale", "s:2": "open"}


def test_queues_are_kept_apart() -> None:
    Label.objects.create(
        question="copy_verdict", subject="s:1", label="accept", method="single", labelled_at=timezone.now()
    )
    take(ImportedLabel("s:1", "positive"))
    assert Label.objects.count() == 2
