"""How far each of those who derive something from events has read."""

from __future__ import annotations

from django.db import models


class Cursor(models.Model):
    """Events up to `sequence` are taken in by the reader `name`, in the same transaction as what it made of them."""

    name = models.CharField(primary_key=True, max_length=60, editable=False)
    sequence = models.BigIntegerField(default=0, editable=False)
    # At `ahead_at` the sequence stood at `ahead`: settled once all that was being written then is over.
    ahead = models.BigIntegerField(default=0, editable=False)
    ahead_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        db_table = "storefront_cursor"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name} at {self.sequence}"
