"""What a model card says of the texts that a model was tested on."""

from __future__ import annotations

from training.evaluation import model_card
from training.models import DatasetSnapshot


def test_a_card_says_who_saw_what_of_the_test() -> None:
    counts = {"assisted": 3, "blind": 2, "stated": 4, "unknown": 1}
    assert model_card.labelled(DatasetSnapshot(manifest={"test_labels": counts})) == (
        "The test texts were labelled: 2 by people who saw no suggestion of a model; 3 by people some of whom saw a model's "
        "suggestion; 1 by people of whom it is not known whether a model's suggestion was shown; 4 by a file that names no person."
    )
    assert model_card.labelled(DatasetSnapshot()) == ""
