"""What sign-in keeps: sessions by account, failed tries, second factors, identities elsewhere, tickets used up."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class Session(AbstractBaseSession):
    """Django's session, with the account it belongs to: so that all of one person's can be ended."""

    account_id = models.BigIntegerField(null=True, editable=False, db_index=True)

    @classmethod
    def get_session_store_class(cls) -> type:
        """The store that reads and writes these rows."""
        from accounts.sessions import SessionStore

        return SessionStore


class Tries(models.Model):
    """Failed tries to sign in, counted: for an account, for an address, and for an account from an address.

    Both are kept as keyed hashes, for a stranger may have typed anything, a password among it. Empty: whichever it is.
    """

    account = models.CharField(max_length=64, blank=True, editable=False)
    address = models.CharField(max_length=64, blank=True, editable=False)
    n = models.PositiveIntegerField(default=0, editable=False)
    since = models.DateTimeField(editable=False)
    locked_until = models.DateTimeField(null=True, editable=False)
    succeeded_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("account", "address"), name="one_count_of_tries"),)
        verbose_name_plural = "tries"

    def __str__(self) -> str:
        return f"{self.n} tries"


class Factor(models.Model):
    """A second factor of a person: an authenticator app, a passkey, or a recovery code that was not used yet."""

    class Kind(models.TextChoices):
        TOTP = "totp", "Authenticator app"
        PASSKEY = "passkey", "Passkey"
        RECOVERY = "recovery", "Recovery code"

    user = models.ForeignKey(User, models.CASCADE, related_name="factors", editable=False)
    kind = models.CharField(max_length=10, choices=Kind, editable=False)
    name = models.CharField(max_length=60, blank=True)
    # TOTP: the key, encrypted. Recovery: a keyed hash of the code. Passkey: the public key as CBOR, base64.
    secret = models.TextField(editable=False)
    credential_id = models.BinaryField(max_length=1023, null=True, unique=True, editable=False)
    # TOTP: the last step of 30 s whose code was taken. Passkey: its counter.
    counter = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("created_at", "pk")
        constraints = (
            models.UniqueConstraint(fields=("user",), condition=models.Q(kind="totp"), name="one_app_for_each_person"),
            models.CheckConstraint(
                condition=models.Q(kind="passkey", credential_id__isnull=False)
                | models.Q(kind__in=("totp", "recovery"), credential_id__isnull=True),
                name="a_passkey_has_a_credential",
            ),
        )

    def __str__(self) -> str:
        return self.name or self.get_kind_display()


class Identity(models.Model):
    """Whom a provider of single sign-on means by its subject: bound once by e-mail, by this ever after."""

    user = models.ForeignKey(User, models.CASCADE, related_name="identities", editable=False)
    issuer = models.CharField(max_length=300, editable=False)
    subject = models.CharField(max_length=255, editable=False)
    bound_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "identities"
        constraints = (
            models.UniqueConstraint(fields=("issuer", "subject"), name="one_person_for_each_subject"),
            models.UniqueConstraint(fields=("issuer", "user"), name="one_subject_for_each_person"),
        )

    def __str__(self) -> str:
        return f"user:{self.user_id} at {self.issuer}"


class UsedTicket(models.Model):
    """A ticket (`accounts.tickets`) that was used: it cannot be used again while it is valid."""

    number = models.CharField(max_length=64, primary_key=True, editable=False)
    used_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return self.number[:8]
