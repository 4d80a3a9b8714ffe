"""Questions that files declare: read strictly, asked and answered like any other, with no code of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from core.exceptions import PermanentError
from core.refs import ref
from labeling.label_config import check_task, validate
from labeling.models import Label
from labeling.question import question
from moderation.decisions import settling
from moderation.models.reviews import ReviewItem
from moderation.queues.rules import policy_for
from questions import versions
from questions.declared.question import SHIPPED, DeclaredQuestion
from questions.declared.schema import DeclaredRecipe, parse_declaration, read_declaration
from tests import factories, people
from training import runs
from training.evaluation import gate
from training.recipes import Recipe

DAMAGE = """\
name: damage
title: Damage
instructions: |
  Go by the <words>.

  Not by the stars.
choices:
  - {value: broken, title: Broken, tone: bad}
  - {value: whole, title: Whole, tone: good}
first_labels: 5
overlap: 2
"""


@pytest.fixture
def damage(tmp_path: Path, settings: Any) -> Path:
    """A file of a user's own, named in the settings."""
    path = tmp_path / "damage.yaml"
    path.write_text(DAMAGE)
    settings.QUESTIONS_DIR = str(tmp_path)
    settings.QUESTIONS = {**settings.QUESTIONS, "damage": "questions.declared.damage"}
    return path


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_those_that_ship_are_read_and_have_a_page(path: Path) -> None:
    asked = DeclaredQuestion(read_declaration(path))
    validate(asked)
    for label in (asked.labels[0], "+".join(asked.labels)) if asked.is_multiple else asked.labels:
        assert asked.label_of(asked.parse(asked.result_of(label), {})) == label


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("title: Damage\n", ""), "line 1, title: Field required"),
        (("tone: bad", "tone: awful"), "line 8, choices.0.tone: Input should be '', 'good' or 'bad'"),
        (("overlap: 2", "overlap: 0"), "line 11, overlap: Input should be greater than or equal to 1"),
        (("overlap: 2", "reviewers: 2"), "line 11, reviewers: there is no such key; there are name, title"),
        (("value: whole", "value: broken"), "line 1: two choices have the value broken"),
        (("value: whole", "value: Whole!"), "line 9, choices.1.value: String should match pattern"),
        (
            ("choices:", "about: shop\nchoices:"),
            "line 7, about: there is nothing called shop; there are review, draft, ",
        ),
        (("title: Damage", "title: [Damage"), "is no YAML"),
        (("title: Damage", "title: &a Damage\nheading: *a"), "aliases"),
        (("title: Broken", "title: Broken, hotkey: '9'"), "choices.0.hotkey"),
        (("value: whole", f"value: {'x' * 61}"), "choices.1.value"),
        (("overlap: 2", "recipe: {epoch: 2}"), "line 11, recipe.epoch: there is no such key; there are method, epochs"),
        (("overlap: 2", "gate:\n  label_costs: {brokn: 2}"), "gate: there is no choice brokn"),
        (("overlap: 2", "gate:\n  label_margin_points: {broken: 200}"), "line 12, gate.label_margin_points.broken"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_is_allowed(change: tuple[str, str], told: str) -> None:
    with pytest.raises(PermanentError) as caught:
        parse_declaration(DAMAGE.replace(*change), name="damage.yaml")
    assert str(caught.value).startswith("damage.yaml")
    assert told in str(caught.value)


@pytest.mark.django_db
def test_a_file_can_say_how_its_models_are_made_and_what_they_have_to_show(damage: Path) -> None:
    damage.write_text(
        f"{DAMAGE}ask_below: 0.7\nrecipe: {{epochs: 4, class_weights: true}}\n"
        "gate: {gain_points: 2, label_margin_points: {broken: 5}, label_costs: {broken: 3}}\n"
    )
    asked = question("damage")
    assert asked.ask_below == 0.7
    run, _ = runs.plan("damage", reason="enough labels", actor=people.ml_engineer(), recipe={"epochs": 2})
    assert (run.recipe["epochs"], run.recipe["class_weights"]) == (2, True), "who asks for a run has the last word"
    rules = gate.as_rules({**settings.TRAINING.gate, **asked.gate})
    assert (rules.gain, rules.label_margins, rules.label_costs) == (0.02, {"broken": 0.05}, {"broken": 3})


def test_what_a_file_can_say_of_a_recipe_is_a_part_of_what_a_run_can_be_asked() -> None:
    for name, field in DeclaredRecipe.model_fields.items():
        known = Recipe.model_fields[name]
        assert (field.annotation, field.default, field.metadata) == (known.annotation, known.default, known.metadata)


def test_a_version_of_before_files_said_more_still_is_what_its_file_says() -> None:
    content = versions.content_of(parse_declaration(DAMAGE, name="damage.yaml"))
    assert not {"ask_below", "recipe", "gate"} & set(content)


NONSENSE = {
    "empty": "",
    "list": "[]",
    "null": "null",
    "deep": "a: " + "[" * 2000,
    "nul": "\x00",
    "items": "- 1",
    "choices": "choices: {}",
    "long": "x" * 70_000,
}


@pytest.mark.parametrize("text", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused_in_words(text: str) -> None:
    with pytest.raises(PermanentError):
        parse_declaration(text, name="nonsense.yaml")


def test_answers_that_do_not_fit_into_a_label_together_are_refused() -> None:
    many = "".join(f"  - {{value: {'abcdefgh'[i] * 20}, title: T{i}}}\n" for i in range(4))
    with pytest.raises(PermanentError, match="83 characters, and a label holds 60"):
        parse_declaration(f"name: many\ntitle: Many\nmultiple: true\nchoices:\n{many}", name="many.yaml")


def test_a_file_has_to_be_named_after_its_question(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(DAMAGE)
    with pytest.raises(PermanentError, match="declares the question damage: name the file after it"):
        read_declaration(tmp_path / "other.yaml")


@pytest.mark.django_db
def test_it_is_asked_by_lot_answered_and_labelled(damage: Path) -> None:
    asked = question("damage")
    assert [choice.hotkey for choice in asked.choices] == ["1", "2"]
    assert asked.instructions == "<p>Go by the &lt;words&gt;.</p><p>Not by the stars.\n</p>"
    assert (policy_for("damage").num_reviewers_per_item, policy_for("sentiment").num_reviewers_per_item) == (2, 1)
    review = factories.customer_review("It came in pieces.")
    check_task(asked, asked.task_data(review), asked.suggestions(review, label="broken", model_version="m", score=0.6))
    assert settling.open_reviews() == 1
    item = ReviewItem.objects.get(question="damage", lead=None)
    seat = ReviewItem.objects.get(question="damage", lead=item)
    factories.push_tasks()
    for one in (item, seat):
        factories.answer(one, people.reviewer(), damage="broken")
    while settling.settle_decisions():
        pass
    assert list(Label.objects.values_list("question", "subject", "label")) == [("damage", ref(review), "broken")]


def test_a_file_that_was_changed_is_read_again(damage: Path) -> None:
    assert question("damage").title == "Damage"
    damage.write_text(DAMAGE.replace("title: Damage", "title: Broken in transit"))
    assert question("damage").title == "Broken in transit"


def test_a_question_without_a_file_says_which_there_are(damage: Path, settings: Any) -> None:
    settings.QUESTIONS = {**settings.QUESTIONS, "lost": "questions.declared.lost"}
    with pytest.raises(PermanentError, match="No file declares the question lost; there are damage, review_topics"):
        question("lost")


def test_a_hundred_answers_have_a_page_with_a_field_that_finds_one_and_come_back_as_labels() -> None:
    values = [f"{'an_answer_of_which_there_are_many_'}{i:0>26}" for i in range(100)]
    many = "".join(f"  - {{value: {value}, title: Number {i}}}\n" for i, value in enumerate(values))
    asked = DeclaredQuestion(parse_declaration(f"name: many\ntitle: Many\nchoices:\n{many}", name="many.yaml"))
    validate(asked)
    page = asked.config()
    assert page.count("<Filter ") == 1
    assert 'name="many_find" toName="many"' in page
    assert "Number 98" not in page.partition("requiredMessage=")[2].partition(">")[0]
    for label in values:
        assert len(label) == 60
        assert asked.label_of(asked.parse(asked.result_of(label), {})) == label
    with pytest.raises(PermanentError, match="at most 100"):
        parse_declaration(
            f"name: many\ntitle: Many\nchoices:\n{many}  - {{value: last, title: Last}}\n", name="many.yaml"
        )


def test_a_page_of_few_answers_is_as_it_was() -> None:
    twelve = "".join(f"  - {{value: v{i}, title: T{i}}}\n" for i in range(12))
    asked = DeclaredQuestion(parse_declaration(f"name: few\ntitle: Few\nchoices:\n{twelve}", name="few.yaml"))
    assert "<Filter " not in asked.config()
    assert 'showInline="true"' in asked.config()
