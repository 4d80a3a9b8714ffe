"""What a customer felt, by their words."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.models import CustomerReview
from core.refs import keys_of, ref
from inference import resolver
from labeling.question import Choice
from moderation.models import reviews
from questions.choice import ChoiceQuestion


class Sentiment(ChoiceQuestion):
    """Say what a customer felt."""

    name = "sentiment"
    title = "Review sentiment"
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

    def opinions(self, subjects: Sequence[str]) -> dict[str, dict[str, float]]:
        """Return those of the champion, of what it scored; nothing where it does not speak of every label."""
        champion, asked = resolver.find(self.name), keys_of(subjects, CustomerReview)
        scores = reviews.Sentiment.objects.filter(review_id__in=asked, model_version=champion)
        found = {ref(score.review): dict(score.probabilities) for score in scores.select_related("review")}
        return {subject: said for subject, said in found.items() if set(said) >= set(self.labels)}
