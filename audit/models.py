"""The ledger table: append-only by trigger, chained by hash."""

from __future__ import annotations

from django.db import models


class LedgerEntry(models.Model):
    """One line: who did what to which thing, when, and the hash that ties it to the line before.

    Written by `audit.ledger` alone; a database trigger refuses UPDATE, DELETE and TRUNCATE. Holds no personal data:
    actors are `user:<id>` or `system:<name>`.
    """

    seq = models.BigIntegerField(primary_key=True, editable=False)
    at = models.DateTimeField(editable=False, db_index=True)
    actor = models.CharField(max_length=120, editable=False, db_index=True)
    action = models.CharField(max_length=120, editable=False, db_index=True)
    subject = models.CharField(max_length=200, editable=False, db_index=True)
    payload = models.JSONField(default=dict, editable=False)
    prev_hash = models.CharField(max_length=64, editable=False)
    entry_hash = models.CharField(max_length=64, unique=True, editable=False)

    class Meta:
        ordering = ("seq",)
        verbose_name_plural = "ledger entries"
        permissions = (("verify_ledger", "Can verify the ledger"),)

    def __str__(self) -> str:
        return f"#{self.seq} {self.action} {self.subject}"
