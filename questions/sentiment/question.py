"""What a customer felt, by their words."""

from __future__ import annotations

from django.conf import settings

from labeling.question import Choice
from questions.choice import ChoiceQuestion


class Sentiment(ChoiceQuestion):
    """Say what a customer felt."""

    name = "sentiment"
    title = "Review sentiment"
    icon = "sentiment_satisfied"
    description = "Customer reviews whose sentiment the model is unsure of."
    instructions = (
        "<p>Judge the <b>words</b>, not the stars: <b>Positive</b> (1), <b>Neutral</b> (2), <b>Negative</b> (3). "
        "Praise and blame that balance out, or neither, is neutral.</p>"
    )
    submit_hint = "Submit waits for a sentiment, or for a comment to a senior."
    when_paused = "No more sentiments are put before people; scores are kept"
    heading = "What does the customer feel?"
    choices = (
        Choice("positive", "Positive", "1", "good"),
        Choice("neutral", "Neutral", "2"),
        Choice("negative", "Negative", "3", "bad"),
    )
    about = "review"
    backend = "sequence_classifier"
    ask_below = 0.75
    source = "labels of the queue sentiment, as people agreed on them"
    copies_from = 0.5

    @property
    def daily_lot(self) -> int:  # type: ignore[override]
        """As many as the settings say."""
        return int(settings.MODERATION.daily_lot)
