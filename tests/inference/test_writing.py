"""The plan of facts, and what is made of what a model wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from core.exceptions import TransientError
from inference.contracts import CopyBrief, Fact, Generation, GenerationParams, Message, TextGenerator
from inference.writing import limits
from inference.writing.finishing import finish, whole_sentences
from inference.writing.plain_words import plainly
from inference.writing.plan import as_prompted, planned
from inference.writing.tries import Order, as_written

FACTS = (
    Fact("weight", "350 g"),
    Fact("material", "oak"),
    Fact("dishwasher safe", "no"),
    Fact("ASIN", "B0711BVG2Z"),
    Fact("Technical details", "words " * 30),
)
BRIEF = CopyBrief("description", "en", "Oak Spoon", facts=FACTS)
CONSTRAINED = GenerationParams(constraints=limits.VERSION, seed=7)


class Words:
    """Finds fault with "plastic"; a fact is told where its value stands in the text."""

    def faults(self, text: str) -> Sequence[tuple[int, int]]:
        return [(0, 1)] * text.count("plastic")

    def untold(self, text: str, facts: Sequence[Fact]) -> Sequence[Fact]:
        return [fact for fact in facts if fact.value not in text and fact.name not in text]


class InTurn(TextGenerator):
    """Says one list of texts after the other, one for each call; an error where there is none left."""

    def __init__(self, *calls: list[str]) -> None:
        super().__init__(directory=None, options={})
        self.calls: Iterator[list[str]] = iter(calls)

    def generate(
        self, prompts: Sequence[Sequence[Message]], params: GenerationParams, *, seeds: Sequence[int] | None = None
    ) -> list[Generation]:
        texts = next(self.calls, None)
        if texts is None:
            raise TransientError("away")
        made = zip(texts, self.seeds_of(prompts, params, seeds), strict=True)
        return [Generation(text, "stop", 1, 1, seed, 0.1, "script") for text, seed in made]


def written(generator: TextGenerator, n: int, params: GenerationParams = CONSTRAINED, **options: Any) -> dict[int, Any]:
    orders = [Order(BRIEF, [Message("user", "write")], Words())] * n
    return dict(one for piece in as_written(generator, orders, params, **options) for one in piece)


def test_a_plan_has_no_identifiers_nothing_long_and_as_many_facts_as_the_channel_has_room_for() -> None:
    assert [fact.name for fact in planned(BRIEF)] == ["weight", "material", "dishwasher safe"]
    slogan = CopyBrief("ad_slogan", "en", "Oak Spoon", facts=FACTS)
    assert [fact.name for fact in planned(slogan)] == ["weight"]
    assert [fact.name for fact in as_prompted(slogan).facts] == ["weight"]
    assert [fact.name for fact in as_prompted(BRIEF).facts][-1] == "Technical details"
    many = CopyBrief("description", "en", "T", facts=[Fact(f"f{n}", f"value {n}") for n in range(30)])
    assert len(planned(many)) == 8


def test_what_a_fact_says_twice_is_told_once() -> None:
    twice = CopyBrief("description", "en", "T", facts=[Fact("Size", "10 x 20 cm"), Fact("Dimensions", "10 x 20 cm")])
    assert [fact.name for fact in planned(twice)] == ["Size"]


def test_a_sentence_with_a_claim_without_a_fact_goes_and_what_was_left_out_is_told_plainly() -> None:
    done = finish("The Oak Spoon is made of oak. It has a plastic grip.", BRIEF, Words())
    assert done.text == "The Oak Spoon is made of oak. It weighs 350 g and is not dishwasher safe."
    assert (done.plan, done.plainly, done.n_dropped, done.n_faults) == (
        ("weight", "material", "dishwasher safe"),
        ("weight", "dishwasher safe"),
        1,
        0,
    )


@pytest.mark.parametrize("said", ["", "It is plastic.", "An unfinished"])
def test_a_text_is_never_empty(said: str) -> None:
    done = finish(said, BRIEF, Words(), finish_reason="length")
    assert done.text == "Oak Spoon weighs 350 g, is made of oak and is not dishwasher safe."


def test_the_last_sentence_is_whole() -> None:
    assert whole_sentences("One spoon. Two spo", BRIEF, finish_reason="length") == ["One spoon."]
    assert whole_sentences("One spoon. Two spo", BRIEF) == ["One spoon."]
    assert whole_sentences("One spoon", BRIEF) == ["One spoon."]
    slogan = CopyBrief("ad_slogan", "en", "Oak Spoon")
    assert whole_sentences("Stir on", slogan) == ["Stir on"]


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ([Fact("colour", "sea green"), Fact("capacity", "350 ml")], "It comes in sea green and holds 350 ml."),
        ([Fact("timer", "yes"), Fact("carry strap included", "yes")], "It has a timer and comes with a carry strap."),
        (
            [Fact("Price range", "high"), Fact("Near", "Crowne Plaza")],
            "It is near Crowne Plaza. Its price range is high.",
        ),
        (
            [Fact("keeps warm for", "30 min"), Fact("oven safe up to", "260 °C")],
            "It keeps warm for 30 min and is oven safe up to 260 °C.",
        ),
        ([Fact("brush heads", "3")], "Its brush heads are 3."),
        ([Fact("width", "narrow")], "Its width is narrow."),
    ],
)
def test_facts_are_said_in_plain_words(facts: list[Fact], text: str) -> None:
    assert plainly(facts, BRIEF, is_first=False) == text


def test_of_several_things_nothing_is_said_in_the_singular() -> None:
    earbuds = CopyBrief("description", "en", "Pebble Earbuds")
    facts = [Fact("colour", "sand"), Fact("noise cancelling", "no"), Fact("case", "yes")]
    assert plainly(facts, earbuds, is_first=False) == "Colour: sand. Not noise cancelling. Case."


def test_a_text_that_lost_its_first_sentence_names_the_product() -> None:
    done = finish("It is plastic. It's oak and weighs 350 g, not dishwasher safe; material oak.", BRIEF, Words())
    assert done.text.startswith("Oak Spoon is oak and weighs 350 g")


def test_the_rest_of_a_dropped_sentence_goes_with_it() -> None:
    done = finish("Oak. It is plastic of 3 in. deep. It weighs 350 g.", BRIEF, Words())
    assert done.text.startswith("Oak. It weighs 350 g.")


def test_plain_words_in_chinese_as_a_list_and_in_a_slogan() -> None:
    chinese = CopyBrief("description", "zh-Hans", "橡木勺")
    facts = [Fact("重量", "350 克"), Fact("产地", "江西"), Fact("可用洗碗机", "否")]
    assert plainly(facts, chinese, is_first=True) == "橡木勺，重350 克，产地为江西，不可用洗碗机。"
    assert plainly(FACTS[:2], BRIEF, is_first=False, as_list=True) == "Weight: 350 g. Material: oak."
    assert plainly(FACTS[:1], CopyBrief("ad_slogan", "en", "Oak Spoon"), is_first=True) == "Oak Spoon: 350 g"


WHOLE = "Oak, 350 g, not dishwasher safe: oak spoon, material oak, weight 350 g."


def test_a_text_with_a_fault_is_asked_for_again_and_the_better_one_is_taken() -> None:
    generator = InTurn([WHOLE, "It is plastic.", "It is plastic."], [WHOLE, "The spoon is plastic. Oak."])
    found = written(generator, 3, tries=2)
    assert [found[i].n_tries for i in range(3)] == [1, 2, 2]
    assert found[1].finished.n_dropped == 0
    assert "Oak." in found[2].finished.text or found[2].finished.n_dropped == 1
    assert len({found[i].generation.seed for i in range(3)}) == 3


def test_there_is_a_bound_and_a_text_without_fault_is_not_asked_for_twice() -> None:
    assert written(InTurn([WHOLE]), 1, tries=8)[0].n_tries == 1
    assert written(InTurn(["It is plastic."], ["It is plastic."]), 1, tries=2)[0].n_tries == 2


def test_a_draft_that_is_there_is_kept_when_the_model_goes_away_in_between() -> None:
    found = written(InTurn(["It is plastic."]), 1, tries=3)
    assert found[0].finished.text.startswith("Oak Spoon weighs 350 g")
    with pytest.raises(TransientError):
        written(InTurn(), 1)


def test_without_constraints_a_draft_is_what_the_model_said() -> None:
    assert written(InTurn(["It is plastic."]), 1, GenerationParams())[0].finished.text == "It is plastic."
