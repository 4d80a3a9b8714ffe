"""The ledger: its lines, signed heads, keys and checks. Lines, heads and public keys are append-only by trigger."""

from __future__ import annotations

import uuid

from django.db import models


class LedgerEntry(models.Model):
    """One line: who did what to which thing, when, and the hash that ties it to the line before.

    Written by `audit.ledger` alone; a database trigger refuses UPDATE, DELETE and TRUNCATE. Holds no personal data:
    actors are `user:<id>` or `system:<name>`, and what people typed is sealed (`audit.sealing`).
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


class LedgerKey(models.Model):
    """The public half of a key that signs heads, and how it came after the one before. The private half is elsewhere.

    Append-only by trigger. Each of two keys that follow each other signs that it does, so who trusts one of them trusts
    both; a key whose predecessor was lost has the one signature only.
    """

    key_id = models.CharField(max_length=16, primary_key=True, editable=False)
    public_key = models.CharField(max_length=64, editable=False, help_text="Ed25519, 32 bytes as hex")
    first_size = models.BigIntegerField(editable=False, help_text="it signs heads of more lines than this")
    at = models.DateTimeField(editable=False)
    predecessor = models.CharField(max_length=16, blank=True, editable=False)
    by_predecessor = models.CharField(max_length=128, blank=True, editable=False)
    by_successor = models.CharField(max_length=128, blank=True, editable=False)

    class Meta:
        ordering = ("first_size", "at")
        permissions = (("rotate_ledger_key", "Can replace the key that signs the ledger"),)

    def __str__(self) -> str:
        return self.key_id


class TreeHead(models.Model):
    """A signed head: so many lines have this Merkle root. Append-only by trigger; written by `audit.heads` alone."""

    size = models.BigIntegerField(primary_key=True, editable=False)
    root_hash = models.CharField(max_length=64, editable=False)
    head_hash = models.CharField(max_length=64, editable=False, help_text="hash of the last line")
    at = models.DateTimeField(editable=False, db_index=True)
    key_id = models.CharField(max_length=16, editable=False)
    signature = models.CharField(max_length=128, editable=False)
    # The first 8 bytes of each new line's hash. Their own hash is signed: a rewritten line is named, not only noticed.
    leaves = models.BinaryField(editable=False)
    # Not signed: the root follows from it, and is.
    frontier = models.TextField(editable=False, help_text="roots of the full subtrees, the smallest first, as hex")

    class Meta:
        ordering = ("size",)
        verbose_name = "signed head"

    def __str__(self) -> str:
        return f"head of {self.size} lines"


class TimeStamp(models.Model):
    """The answer of a time-stamping authority (RFC 3161) about the signature of a head. Append-only by trigger."""

    head = models.ForeignKey(TreeHead, on_delete=models.PROTECT, related_name="stamps", editable=False)
    at = models.DateTimeField(editable=False, help_text="what the authority says")
    authority = models.CharField(max_length=200, editable=False)
    response = models.BinaryField(editable=False, help_text="the whole response, DER")

    class Meta:
        ordering = ("head",)

    def __str__(self) -> str:
        return f"{self.authority} about {self.head_id} lines"


class LedgerCheck(models.Model):
    """One check of the ledger: by whom, from where to where, against what, and what it found."""

    class Kind(models.TextChoices):
        NEW = "new", "new lines"
        WHOLE = "whole", "the whole ledger"
        HASH = "hash", "the whole ledger, against a hash kept elsewhere"

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    by = models.CharField(max_length=120, editable=False)
    kind = models.CharField(max_length=8, choices=Kind, editable=False)
    first = models.BigIntegerField(editable=False, help_text="number of the first line that was read")
    size = models.BigIntegerField(editable=False, help_text="lines that hold, counted from the first of the ledger")
    head_hash = models.CharField(max_length=64, editable=False)
    root_hash = models.CharField(max_length=64, editable=False)
    n_heads = models.BigIntegerField(default=0, editable=False, help_text="signed heads that were compared")
    anchored_size = models.BigIntegerField(default=0, editable=False, help_text="lines the second place vouches for")
    marked_size = models.BigIntegerField(default=0, editable=False, help_text="lines of the high-water mark")
    is_intact = models.BooleanField(editable=False)
    bad_seq = models.BigIntegerField(null=True, editable=False)
    words = models.TextField(blank=True, editable=False)
    seconds = models.FloatField(editable=False)

    class Meta:
        ordering = ("-at",)
        indexes = (models.Index(fields=("kind", "-at"), name="check_by_kind"),)

    def __str__(self) -> str:
        return f"{self.size} lines hold" if self.is_intact else self.words


class SubjectKey(models.Model):
    """The key that seals the words of one person in the ledger, itself wrapped. Deleting it erases them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.CharField(max_length=120, unique=True, editable=False)
    wrapped = models.BinaryField(editable=False)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        permissions = (
            ("read_sealed", "Can read what people wrote into the ledger"),
            ("erase_person", "Can erase a person"),
        )

    def __str__(self) -> str:
        return f"key of {self.person}"
