"""What a model card says of the texts that a model was tested on."""

from __future__ import annotations

import pytest

from inference import artifacts
from inference.models import ModelVersion
from tests.training.shop import label_reviews, train
from training.evaluation import model_card
from training.models import DatasetSnapshot


def test_a_card_says_who_saw_what_of_the_test() -> None:
    counts = {"assisted": 3, "blind": 2, "stated": 4, "unknown": 1}
    assert model_card.labelled(DatasetSnapshot(manifest={"test_labels": counts})) == (
        "The test texts were labelled: 2 by people who saw no suggestion of a model; 3 by people some of whom saw a model's "
        "suggestion; 1 by people of whom it is not known whether a model's suggestion was shown; 4 by a file that nobody here answers for."
    )
    assert model_card.labelled(DatasetSnapshot()) == ""


@pytest.mark.django_db
@pytest.mark.usefixtures("alone")
def test_the_card_beside_the_weights_holds_no_words_of_people(guessing: ModelVersion) -> None:
    label_reviews(200)
    run = train()
    assert run.reason == "for a test"
    assert "for a test" not in (artifacts.root() / f"{run.version.artifact_hash}.card.md").read_text()
