"""Signatures of live copy, by which copy that repeats it is found among many."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from catalog.models import PublishedCopy


class LiveSignature(models.Model):
    """The bands of one live text (`moderation.policy.duplicates.bands`); alike texts share one or more.

    Gone once retired.
    """

    copy = models.OneToOneField(
        PublishedCopy, primary_key=True, on_delete=models.CASCADE, related_name="+", editable=False
    )
    bands = ArrayField(models.BigIntegerField(), editable=False)

    class Meta:
        indexes = (GinIndex(fields=("bands",), name="live_signature_bands"),)

    def __str__(self) -> str:
        return f"signature of {self.copy_id}"
