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


def test_a_card_says_what_a_version_was_fitted_on_and_what_validation_was_for() -> None:
    characters, head = {"method": "characters", "best_eval_loss": None}, {"method": "head", "best_eval_loss": 0.4}
    lora = {"method": "lora", "best_eval_loss": 0.3}
    base = "e" * 64
    assert model_card.based_on(base, {"other": lora}) == f"Base `{base}`."
    assert model_card.based_on(base, {"other": lora, "chinese": characters}) == (
        f"Base `{base}`, but for the part chinese, which has none."
    )
    nothing = "No base: it was fitted to the characters of its texts, from nothing."
    assert model_card.based_on(base, {"chinese": characters}) == model_card.based_on("", {}) == nothing
    assert model_card.validated({"other": lora}) == "to choose the moment to stop"
    assert model_card.validated({"chinese": characters}) == "to learn from as well"
    assert model_card.validated({"other": head}) == "to choose how far weights may go, and then to learn from"
    assert model_card.validated({"other": lora, "chinese": characters}) == (
        "to choose the moment to stop or to learn from as well"
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("alone")
def test_the_card_beside_the_weights_holds_no_words_of_people(guessing: ModelVersion) -> None:
    label_reviews(200)
    run = train()
    assert run.reason == "for a test"
    card = (artifacts.root() / f"{run.version.artifact_hash}.card.md").read_text()
    assert "for a test" not in card
    assert "No base: it was fitted to the characters" in card
    assert "to choose the moment to stop" not in card, "nothing was stopped"
