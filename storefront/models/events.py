"""What shoppers did: facts that are written once. Profiles, totals and lists are derived from them."""

from __future__ import annotations

from django.db import models

from catalog.models import Product


class Event(models.Model):
    """One thing that one shopper did, or was shown. Partitioned by the month of `at`; never changed, only forgotten.

    A shopper and their session are pseudonyms of ours (`core.pseudonyms`): the shop's own ids are nowhere stored. What
    was shown is `shown`, live copy by its key, where a signed token proved it (`storefront.exposures`), and `channel`,
    `locale`, `audience` and `variant` else say what the shop claims.
    """

    class Kind(models.TextChoices):
        """What happened."""

        VIEW = "view", "Page of a product seen"
        IMPRESSION = "impression", "Shown, as a text or in a list"
        CLICK = "click", "Clicked"
        CART = "cart", "Put into the cart"
        PURCHASE = "purchase", "Bought"
        HELPFUL = "helpful", "Said to be helpful"
        NOT_HELPFUL = "not_helpful", "Said not to be helpful"

    pk = models.CompositePrimaryKey("id", "at")
    id = models.UUIDField(editable=False, help_text="the sender's: an event that is sent twice counts once")
    at = models.DateTimeField(editable=False, help_text="when it happened, by the sender's clock")
    received_at = models.DateTimeField(editable=False)
    sequence = models.BigIntegerField(editable=False, help_text="rises as events are stored: who derives reads on here")
    kind = models.CharField(max_length=12, choices=Kind, editable=False)
    shopper = models.CharField(max_length=16, editable=False, help_text="pseudonym; empty: no consent to be known")
    session = models.CharField(max_length=16, editable=False, help_text="pseudonym")
    product = models.ForeignKey(
        Product, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    shown = models.UUIDField(null=True, editable=False, help_text="the live copy, proved by a token of ours")
    channel = models.CharField(max_length=24, default="", editable=False)
    locale = models.CharField(max_length=12, default="", editable=False)
    audience = models.CharField(max_length=40, default="", editable=False)
    variant = models.CharField(max_length=40, default="", editable=False)
    experiment = models.BigIntegerField(null=True, editable=False, help_text="of which it is an exposure, by a token")
    arm = models.CharField(max_length=40, default="", editable=False)
    list_id = models.CharField(max_length=40, default="", editable=False, help_text="the recommendation it stood in")
    position = models.PositiveSmallIntegerField(null=True, editable=False, help_text="in the list, from 0")
    propensity = models.FloatField(null=True, editable=False, help_text="chance with which the list showed it there")
    value = models.DecimalField(max_digits=12, decimal_places=2, null=True, editable=False, help_text="of a purchase")
    currency = models.CharField(max_length=3, default="", editable=False)
    quantity = models.PositiveSmallIntegerField(default=1, editable=False)
    device = models.CharField(max_length=12, default="", editable=False, help_text="phone, tablet, desktop or empty")
    is_bot = models.BooleanField(default=False, editable=False)
    has_consent = models.BooleanField(default=False, editable=False, help_text="to be known again: for profiles")

    class Meta:
        managed = False  # Django makes no partitioned tables: storefront/sql/events.sql does
        db_table = "storefront_event"
        default_permissions = ("view",)
        permissions = (("send_events", "Can send events of shoppers"), ("erase_shopper", "Can erase a shopper"))

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
