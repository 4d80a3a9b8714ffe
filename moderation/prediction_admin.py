"""What models said, and what customers wrote with the sentiment that stands, in the console."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from unfold.decorators import display

from catalog.models import CustomerReview
from core.admin import ReadOnlyAdmin, excerpt
from core.refs import ref_in_sql
from labeling.question import question, title_of
from moderation.explaining import explanation_of
from moderation.models.predictions import Prediction, Predictions
from moderation.models.reviews import SENTIMENT
from moderation.queues.blindness import readable


@admin.register(Prediction)
class PredictionAdmin(ReadOnlyAdmin):
    """What each model said of each subject, those in the shadow too."""

    nothing_here = "No model has said anything yet"
    what_brings = "Customer reviews are scored as they come, drafts when they are screened."
    list_display = ("asked", "subject", "label", "confidence_shown", "model_version", "is_shadow", "created_at")
    list_filter = ("question", "label", "is_shadow", "model_version")
    list_select_related = ("model_version",)
    search_fields = ("subject",)
    exclude = ("explanation",)
    readonly_fields = ("moved_by",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without those that would lead who looks in what they are asked, or may be next."""
        return readable(cast("Predictions", super().get_queryset(request)), reader=request.user)

    @display(description="moved by")
    def moved_by(self, obj: Prediction) -> str:
        """The words that moved it, each with what the label loses without it."""
        if not (why := explanation_of(obj)):
            return "not known: nobody is asked about it, it is on its way, or the text is long or another one since"
        words = [(one.word, f"−{one.weight:.0%}") for one in why.words]
        words += [(one.word, f"+{-one.weight:.0%}") for one in why.against]
        return format_html(
            "{}. So much less likely (−) or likelier (+) is the label without the word.{}",
            format_html_join(", ", "<bdi>{}</bdi> {}", words),
            " Other words count as much: do not rely on it." if why.holds is False else "",
        )

    @display(description="question", ordering="question")
    def asked(self, obj: Prediction) -> str:
        """What people call the question."""
        return title_of(obj.question)

    @display(description="confidence", ordering="confidence")
    def confidence_shown(self, obj: Prediction) -> str:
        """How sure the label is."""
        return f"{obj.confidence:.0%}"


def _said() -> Predictions:
    """The sentiment that stands, of a review in the query around it."""
    subject = ref_in_sql(CustomerReview, OuterRef("pk"))
    return Prediction.objects.filter(question=SENTIMENT, subject=subject).standing()


def _shown(request: HttpRequest) -> Predictions:
    """The same, where who asks may read it."""
    return readable(_said(), reader=request.user)


class SentimentFilter(admin.SimpleListFilter):
    """By the sentiment that stands."""

    title = "sentiment"
    parameter_name = "sentiment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the answers to the question."""
        return [(choice.value, choice.title) for choice in question(SENTIMENT).choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to the chosen answer."""
        return queryset.filter(Exists(_shown(request).filter(label=self.value()))) if self.value() else queryset


@admin.register(CustomerReview)
class CustomerReviewAdmin(ReadOnlyAdmin):
    """What customers wrote, with the sentiment a model gave it."""

    nothing_here = "No customer review yet"
    what_brings = "“manage.py import_reviews FILE” brings them."
    list_display = ("about", "sentiment", "rating", "product", "locale", "written_at")
    list_filter = (SentimentFilter, "locale", "rating")
    list_select_related = ("product",)
    search_fields = ("text", "external_id", "product__sku")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Fetch the sentiments along."""
        said = _shown(request)
        return (
            super()
            .get_queryset(request)
            .annotate(
                sentiment_label=Subquery(said.values("label")[:1]),
                sentiment_confidence=Subquery(said.values("confidence")[:1]),
                is_scored=Exists(_said()),
            )
        )

    @display(description="review")
    def about(self, obj: CustomerReview) -> str:
        """The first words."""
        return excerpt(obj.text)

    @display(description="sentiment", label={"positive": "success", "negative": "danger", "neutral": "", "none": ""})
    def sentiment(self, obj: Any) -> tuple[str, str]:
        """What the model says that answered last."""
        if obj.sentiment_label is None:
            return "none", "not shown until it is decided" if obj.is_scored else "not scored yet"
        return obj.sentiment_label, f"{obj.sentiment_label} ({obj.sentiment_confidence:.0%})"
