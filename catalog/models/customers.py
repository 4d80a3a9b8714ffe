"""What customers write: reviews, those that are hidden, and messages to the shop."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from catalog.models.products import Locale, Product
from core.hashing import hash_json


class CustomerReview(models.Model):
    """What a customer wrote about a product. Untrusted text; holds no customer identity."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    external_id = models.CharField(max_length=120, unique=True, help_text="the shop's id, or a hash of the content")
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.SET_NULL, related_name="reviews")
    locale = models.CharField(max_length=12, choices=Locale, default=Locale.EN)
    title = models.CharField(max_length=500, blank=True)
    text = models.TextField()
    rating = models.DecimalField(max_digits=3, decimal_places=1, null=True, blank=True, help_text="stars, 1 to 5")
    written_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="when an import last brought another title or text of it"
    )

    class Meta:
        ordering = ("-created_at", "id")
        indexes = (models.Index(fields=("edited_at",), condition=Q(edited_at__isnull=False), name="review_edited"),)

    def __str__(self) -> str:
        return self.text[:80]

    @property
    def full_text(self) -> str:
        """What a model reads of it, and people label: the title and the text."""
        return f"{self.title}\n{self.text}".strip()


class HiddenReview(models.Model):
    """That a customer review is not shown, and since when.

    Written by `catalog.hiding` alone; one stands for each review.

    Another decision ends it: one that shows the review again, or hides it for other reasons.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    review = models.ForeignKey(CustomerReview, on_delete=models.PROTECT, related_name="hidings", editable=False)
    decision_ref = models.CharField(max_length=120, unique=True, editable=False, help_text="what hid it")
    reasons = models.JSONField(editable=False, help_text="answers that were given, as codes")
    marked = models.JSONField(default=list, editable=False, help_text="those of them that a model had suggested")
    text_hash = models.CharField(max_length=64, editable=False, help_text="of its title and text, as they were then")
    hidden_at = models.DateTimeField(editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_by = models.CharField(max_length=120, blank=True, editable=False, help_text="the decision that ended it")

    class Meta:
        ordering = ("-hidden_at", "id")
        permissions = (("show_review", "Can show a hidden customer review again"),)
        constraints = (
            models.UniqueConstraint(fields=("review",), condition=Q(ended_at=None), name="hidden_once"),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by="") | (Q(ended_at__isnull=False) & ~Q(ended_by="")),
                name="what_ends_a_hiding_is_a_decision",
            ),
        )

    def __str__(self) -> str:
        return f"{self.review_id} {', '.join(self.reasons)}"

    @property
    def is_edited(self) -> bool:
        """Whether the review says something else by now than what was hidden."""
        return self.text_hash != hash_json([self.review.full_text])


class MessageChannel(models.TextChoices):
    """Which way a message came."""

    EMAIL = "email", "Email"
    CHAT = "chat", "Chat"
    FORM = "form", "Form"
    SOCIAL = "social", "Social network"
    OTHER = "other", "Another way"


class CustomerMessage(models.Model):
    """What a customer wrote to the shop. Untrusted text; who wrote it is a pseudonym, by which it can be erased."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    external_id = models.CharField(max_length=120, unique=True, help_text="the shop's id, or a hash of the content")
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.SET_NULL, related_name="messages")
    channel = models.CharField(max_length=12, choices=MessageChannel, default=MessageChannel.OTHER)
    locale = models.CharField(max_length=12, choices=Locale, default=Locale.EN)
    text = models.TextField()
    author = models.CharField(max_length=16, blank=True, db_index=True, help_text="a pseudonym; empty: not known")
    received_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at", "id")

    def __str__(self) -> str:
        return self.text[:80]
