"""Products with their facts and pictures, live copy, and the record of each import."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5


class Channel(models.TextChoices):
    """Where copy is shown."""

    DESCRIPTION = "description", "Description"
    RECOMMENDATION = "recommendation", "Recommendation line"
    AD_SLOGAN = "ad_slogan", "Ad slogan"


class Locale(models.TextChoices):
    """Languages copy is written in (BCP 47)."""

    EN = "en", "English"
    ZH_HANS = "zh-Hans", "简体中文"


# The variant of a slot that is served until a shop chooses another.
CONTROL = "control"


class Product(models.Model):
    """Something we sell."""

    sku = models.CharField(max_length=120, unique=True)
    title = models.CharField(max_length=500)
    localized_titles = models.JSONField(default=dict, blank=True, help_text="locale → title, beside the main one")
    locale = models.CharField(max_length=12, choices=Locale, default=Locale.EN, help_text="language of the title")
    brand = models.CharField(max_length=200, blank=True)
    category = models.CharField(max_length=300, blank=True, db_index=True)
    description = models.TextField(
        blank=True, help_text="the merchant's own text, cleaned; input, never published by us"
    )
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    image_url = models.CharField(max_length=1000, blank=True, help_text="absolute URL, or a path under MEDIA_URL")
    facts_hash = models.CharField(
        max_length=64, editable=False, default="", help_text="sha256 of everything copy may claim"
    )
    source = models.CharField(max_length=200, blank=True, editable=False, help_text="the feed it came from")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("sku",)

    def __str__(self) -> str:
        return f"{self.sku} {self.title}"

    def title_for(self, locale: str) -> str:
        """Return the title in `locale`, or the main one."""
        return str(self.localized_titles.get(locale, self.title))


class ProductPicture(models.Model):
    """A picture that a product has or had, as something to refer to. Never changes: another address is another picture.

    Kept by triggers on the product's table (catalog/sql/pictures.sql): products are written in many ways, by imports of
    a million as well.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="pictures", editable=False)
    address = models.CharField(max_length=1000, editable=False, help_text="absolute URL, or a path under MEDIA_URL")
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="since when the product has another; what people said stays"
    )

    class Meta:
        ordering = ("-created_at", "-id")
        # By hash: an address of a thousand letters beyond ASCII is more than an index can hold.
        constraints = (models.UniqueConstraint("product", MD5("address"), name="one_row_per_picture"),)

    def __str__(self) -> str:
        return self.address


class ProductFact(models.Model):
    """A checkable statement about a product, in one language. Copy may claim this and nothing else."""

    class Kind(models.TextChoices):
        TEXT = "text", "Text"
        NUMBER = "number", "Number"
        QUANTITY = "quantity", "Number with unit"
        BOOLEAN = "boolean", "Yes or no"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="facts")
    locale = models.CharField(max_length=12, choices=Locale, default=Locale.EN)
    name = models.CharField(max_length=120, help_text="e.g. material, weight, colour")
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.TEXT)
    value = models.TextField(help_text="as shown, e.g. `240 g`")
    number = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    unit = models.CharField(max_length=24, blank=True, help_text="canonical symbol, e.g. g, cm, mAh")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position", "name")
        constraints = (models.UniqueConstraint(fields=("product", "locale", "name"), name="one_fact_per_name"),)

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"


class FactEvidence(models.Model):
    """A file that proves what a fact says. Bound to the statement, not to its row: imports write facts anew."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="evidence", editable=False)
    fact_name = models.CharField(max_length=120, editable=False)
    fact_value = models.TextField(editable=False)
    sha256 = models.CharField(max_length=64, editable=False, help_text="the file lies under this name")
    content_type = models.CharField(max_length=60, editable=False)
    size = models.PositiveIntegerField(editable=False, help_text="bytes")
    file_name = models.CharField(max_length=200, editable=False, help_text="as it was called when it came")
    note = models.CharField(max_length=500, blank=True, editable=False, help_text="who issued it, when, until when")
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    added_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawn_reason = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ("-added_at", "-id")
        verbose_name_plural = "fact evidence"

    def __str__(self) -> str:
        return f"{self.fact_name}: {self.file_name}"


class PublishedCopy(models.Model):
    """What shoppers see. Written by `catalog.publishing` alone; at most one is live per slot and variant."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="published_copy", editable=False)
    channel = models.CharField(max_length=24, choices=Channel, editable=False)
    locale = models.CharField(max_length=12, choices=Locale, editable=False)
    audience = models.CharField(max_length=40, default="", db_default="", editable=False, help_text="empty: everybody")
    variant = models.CharField(max_length=40, default=CONTROL, db_default=CONTROL, editable=False)
    text = models.TextField(editable=False)
    candidate_ref = models.CharField(max_length=120, db_index=True, editable=False)
    provenance = models.JSONField(default=dict, editable=False, help_text="model, prompt, parameters, who decided")
    ai_mark = models.JSONField(default=dict, editable=False, help_text="the visible label and machine-readable mark")
    published_at = models.DateTimeField(editable=False)
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)
    retired_reason = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        ordering = ("-published_at",)
        verbose_name_plural = "published copy"
        permissions = (("publish_copy", "Can publish copy"), ("retire_copy", "Can retire published copy"))
        constraints = (
            models.UniqueConstraint(
                fields=("product", "channel", "locale", "audience", "variant"),
                condition=Q(retired_at=None),
                name="one_live_copy",
            ),
            # What was taken down may be put back, as a row of its own.
            models.UniqueConstraint(
                fields=("candidate_ref",), condition=Q(retired_at=None), name="one_live_copy_per_candidate"
            ),
        )

    def __str__(self) -> str:
        return f"{self.product_id} {self.channel} {self.locale}"


class ImportRun(models.Model):
    """One import of one file: how far it came, so that an interrupted one resumes.

    One fails whose file cannot be read to its end; one is superseded that was left behind when another file of its name
    was imported to the end.
    """

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        COMPLETED = "completed", "Completed"
        INTERRUPTED = "interrupted", "Interrupted"
        FAILED = "failed", "Failed"
        SUPERSEDED = "superseded", "Superseded"

    OPEN = (Status.RUNNING, Status.INTERRUPTED)  # the same file goes on where these stopped
    went_on_after = 0  # rows that an earlier process had done, of a run that this one resumed

    kind = models.CharField(max_length=24, help_text="products, reviews, messages or labels")
    file_name = models.CharField(max_length=300)
    file_hash = models.CharField(max_length=64)
    feed_format = models.CharField(max_length=24, help_text="and the beginning of the mapping's hash, if any")
    status = models.CharField(max_length=12, choices=Status, default=Status.RUNNING)
    n_rows = models.PositiveIntegerField(default=0, help_text="rows read and committed: where a resumed import goes on")
    n_created = models.PositiveIntegerField(default=0)
    n_updated = models.PositiveIntegerField(default=0)
    n_unchanged = models.PositiveIntegerField(default=0)
    n_bad = models.PositiveIntegerField(default=0, help_text="rows named in the error file")
    n_duplicates = models.PositiveIntegerField(default=0, help_text="rows that repeat an earlier one word for word")
    counts = models.JSONField(default=dict, blank=True, help_text="what else there was to count, by name")
    error_file = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-started_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "file_hash", "feed_format"),
                condition=Q(status__in=("running", "interrupted")),
                name="one_open_import_per_file",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} from {self.file_name}: {self.status}"
