"""What is known of the people who review: the languages they read, and what each passed over."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from catalog.models import Locale
from moderation.models.reviews import ReviewItem


class LanguageSkills(models.Model):
    """The languages a person reads well enough to judge. Who has no row, or an empty one, is offered every language."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="language_skills")
    locales = ArrayField(
        models.CharField(max_length=12, choices=Locale),
        blank=True,
        default=list,
        help_text="texts in other languages are not offered to them; none = every language",
    )

    class Meta:
        verbose_name_plural = "language skills"

    def __str__(self) -> str:
        return f"languages of user {self.user_id}: {', '.join(self.locales) or 'every one'}"


class Skip(models.Model):
    """That a person passed an item on, and why: it is not offered to them again for a while
    (`moderation.queues.turns`).
    """

    class Reason(models.TextChoices):
        LANGUAGE = "language", "I do not read this language well enough"
        UNSURE = "unsure", "I am not sure, and somebody else may be"
        INVOLVED = "involved", "I have something to do with it"
        BROKEN = "broken", "It does not show as it should"
        LATER = "later", "It needs more time than I have now"

    # The one that leads the panel: who passes one seat on is not offered another of the same.
    item = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="skips")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=12, choices=Reason)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-at",)
        constraints = (
            models.UniqueConstraint(fields=("item", "user"), name="one_skip_per_person"),
            models.CheckConstraint(
                condition=Q(reason__in=("language", "unsure", "involved", "broken", "later")), name="skip_reason"
            ),
        )

    def __str__(self) -> str:
        return f"{self.item_id} passed on: {self.reason}"
