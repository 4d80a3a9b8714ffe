"""The files of labels that once broke an import, each with what must become of it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from catalog.models import CustomerReview
from core.actors import SystemActor
from core.refs import ref
from labeling.models import Label, Vote
from moderation.label_exchange.importing import File, import_labels

pytestmark = pytest.mark.django_db
CASES = Path(__file__).parents[1] / "cases" / "feeds"
# Text → its label; the number of votes; the lines that are named → a word of the reason.
LABELS: dict[str, tuple[dict[str, str], int, dict[int, str]]] = {
    "l01_jsonmin.json": ({"HB-l01 great": "positive", "HB-l01 bad": "negative"}, 2, {}),
    "l02_spans.json": (
        {"HB-l02 one span": "positive", "HB-l02 two spans": "negative", "HB-l02 relations": "neutral"},
        3,
        {4: ""},
    ),
    "l03_value.json": ({"HB-l03 ok": "positive", "HB-l03 after": "negative"}, 2, {2: ""}),
    "l07_ls.csv": ({"HB-l07 a": "negative"}, 3, {}),
}


@pytest.mark.parametrize("name", LABELS)
def test_of_a_file_that_broke_imports_the_good_labels_are_taken_and_the_others_named(name: str) -> None:
    run = import_labels(File(CASES / name), actor=SystemActor("tests"))
    labels, n_votes, named = LABELS[name]
    texts = {ref(review): review.text for review in CustomerReview.objects.all()}
    assert {texts[subject]: label for subject, label in Label.objects.values_list("subject", "label")} == labels
    assert Vote.objects.count() == n_votes
    reasons = {}
    if run.error_file:
        with Path(run.error_file).open(newline="", encoding="utf-8") as stream:
            reasons = {int(row["line"]): row["reason"] for row in csv.DictReader(stream)}
    assert reasons.keys() == named.keys(), reasons
    assert all(word in reasons[line] for line, word in named.items())
