"""Whether shoppers may see a customer review: what a person ticks hides it, none of these shows it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.db.models import Model

from core.label_sets import NONE
from labeling.question import Choice
from moderation.live import hidden_reviews
from moderation.models.reviews import Decision
from questions.choice import ChoiceQuestion
from questions.review_safety.first_scorer import SEPARATOR


class ReviewSafety(ChoiceQuestion):
    """Say what is wrong with a customer review, if anything is."""

    name = "review_safety"
    title = "Review safety"
    icon = "shield"
    description = "Customer reviews that may break the rules for reviews."
    instructions = (
        "<p>Tick everything that holds. <b>Whatever you tick hides the review</b> from shoppers; <b>None of these</b> "
        "(0) shows it. Few stars, anger and harsh words about the product are no reason to hide anything.</p>"
        "<p><b>Abuse</b> (1): insults or threatens somebody. “The seller is a filthy liar, I will find you.” Not: "
        "“This "
        "kettle is rubbish.”</p>"
        "<p><b>Hate</b> (2): attacks people for what they are: origin, religion, sex, disability. Not: who tells of "
        "such "
        "an attack.</p>"
        "<p><b>Sexual</b> (3): sexual or obscene. Not: sober words about underwear or health.</p>"
        "<p><b>Spam</b> (4): advertises something else, or says the same again and again. “Cheaper at deals.example, "
        "code WIN20.”</p>"
        "<p><b>Personal data</b> (5): a telephone number, an address, an e-mail, a full name of a private person. Not: "
        "the company’s own.</p>"
        "<p><b>Not about the product</b> (6): says nothing of the product, its price, its delivery or the service. "
        "“Vote "
        "on Sunday!”</p>"
        "<p>Not sure? <b>Ask a senior reviewer</b> and say why.</p>"
    )
    submit_hint = "Submit waits for a tick, “None of these” too, or for a comment to a senior."
    when_paused = "No more reviews are put before people; what is hidden stays hidden"
    heading = "What is wrong with it?"
    choices = (
        Choice("abuse", "Abuse", "1", "bad"),
        Choice("hate", "Hate", "2", "bad"),
        Choice("sexual", "Sexual", "3", "bad"),
        Choice("spam", "Spam", "4", "bad"),
        Choice("personal_data", "Personal data", "5", "bad"),
        Choice("off_topic", "Not about the product", "6"),
    )
    is_multiple = True
    about = "review"
    backend = "sequence_classifier"
    # Whatever has a sign of anything, and what a model marks and is not sure of (first_scorer.py,
    # docs/benchmarks/review-safety.md).
    ask_below = 0.9
    asks_unless = NONE
    asks_again_when_edited = True
    source = "labels of the queue review_safety, as people agreed on them"
    copies_from = 0.5

    def inputs(self, subjects: Sequence[Any]) -> list[str]:
        """Return the customer's words, and after them the name of the product:
        whether they are about it is asked too.
        """
        return [
            f"{self.subject.text(row)}{SEPARATOR}{product.title_for(row.locale) if (product := row.product) else ''}"
            for row in subjects
        ]

    def act(self, decision: Model) -> None:
        """Hide the review while the newest decision about it ticks anything; show it again when it ticks nothing."""
        hidden_reviews.follow(cast("Decision", decision), unsafe=self.labels)
