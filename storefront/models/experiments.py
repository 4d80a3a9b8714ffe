"""Experiments: what is compared on whom, who took part with which outcome, how often it was looked at."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from catalog.models import CONTROL, Product
from storefront.assignment import GRAIN


class Experiment(models.Model):
    """A comparison of approved texts, recommenders, or copy for an audience. Fixed once it runs, but for its share."""

    class Subject(models.TextChoices):
        COPY = "copy", "Texts in a slot"
        RECOMMENDATIONS = "recommendations", "Recommenders"
        AUDIENCE = "audience", "Copy for an audience, against that for everybody"

    class Mode(models.TextChoices):
        FIXED = "fixed", "Fixed shares"
        BANDIT = "bandit", "Bandit"

    class Method(models.TextChoices):
        SEQUENCE = "sequence", "Look at any time"
        LOOKS = "looks", "Planned looks"

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        STOPPED = "stopped", "Stopped"
        DECIDED = "decided", "Decided"

    class Outcome(models.TextChoices):
        SHIPPED = "shipped", "Winner shipped"
        KEPT = "kept", "Control kept"
        ABANDONED = "abandoned", "Abandoned"

    name = models.SlugField(max_length=40, unique=True, editable=False)
    hypothesis = models.CharField(max_length=500, editable=False)
    subject = models.CharField(max_length=16, choices=Subject, default=Subject.COPY, editable=False)
    channel = models.CharField(max_length=24, blank=True, editable=False)
    locale = models.CharField(max_length=12, blank=True, editable=False)
    audience = models.CharField(max_length=40, blank=True, editable=False, help_text="empty: everybody")
    products = models.ManyToManyField(Product, related_name="+", editable=False, help_text="none: all of them")
    layer = models.SlugField(max_length=40, default="default", editable=False)
    first = models.PositiveSmallIntegerField(null=True, editable=False, help_text="empty: where there is room")
    share = models.PositiveSmallIntegerField(
        default=GRAIN, validators=[MaxValueValidator(GRAIN)], editable=False, help_text=f"of {GRAIN} parts of the layer"
    )
    salt = models.CharField(max_length=64, editable=False)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.FIXED, editable=False)
    holdout = models.FloatField(default=0.0, editable=False, help_text="of a bandit: the part that claims come from")
    allocation = models.JSONField(default=dict, editable=False, help_text="of a bandit: each arm's share of the rest")
    allocated_at = models.DateTimeField(null=True, editable=False)
    method = models.CharField(max_length=8, choices=Method, default=Method.SEQUENCE, editable=False)
    alpha = models.FloatField(default=0.05, editable=False)
    tuned_at = models.FloatField(default=0.5, editable=False, help_text="share of the plan: narrowest there")
    n_looks = models.PositiveSmallIntegerField(default=5, editable=False, help_text="of planned looks")
    n_planned = models.PositiveIntegerField(editable=False, help_text="units of all arms together")
    primary = models.CharField(max_length=24, editable=False, help_text="metric")
    matters_from = models.FloatField(editable=False, help_text="share of the control's value, above 0")
    secondary = models.JSONField(default=list, editable=False, help_text="names of metrics")
    guardrails = models.JSONField(default=dict, editable=False, help_text="name of metric: margin")
    window = models.DurationField(editable=False, help_text="what a unit does so long after its exposure counts")
    currency = models.CharField(max_length=3, blank=True, editable=False, help_text="of what revenue counts")
    tail = models.FloatField(default=0.99, editable=False, help_text="revenue above this quantile is cut")
    cap = models.FloatField(null=True, editable=False, help_text="where it is cut; fixed at the start; empty: nowhere")
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT, editable=False)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True, editable=False)
    winner = models.CharField(max_length=40, blank=True, editable=False, help_text="the arm that was shipped")
    figures = models.JSONField(default=dict, editable=False, help_text="as they were when it was decided")
    overridden = models.JSONField(default=list, editable=False, help_text="what spoke against the decision")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, editable=False)
    stopped_at = models.DateTimeField(null=True, editable=False)
    decided_at = models.DateTimeField(null=True, editable=False)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True, editable=False, help_text="for the decision")
    carried_out_at = models.DateTimeField(null=True, editable=False, help_text="when the last slot followed")

    class Meta:
        ordering = ("-id",)
        default_permissions = ("view",)
        permissions = (
            ("run_experiment", "Can plan, start, ramp, pause and stop experiments"),
            ("decide_experiment", "Can decide experiments"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(status__in=("draft", "running", "paused", "stopped", "decided")), name="experiment_status"
            ),
            models.CheckConstraint(condition=Q(status="decided") ^ Q(outcome=""), name="experiment_outcome"),
            models.CheckConstraint(
                condition=Q(first=None) | Q(first__lte=GRAIN - F("share")), name="experiment_share_fits_its_layer"
            ),
            models.CheckConstraint(condition=Q(matters_from__gt=0, n_planned__gte=2), name="experiment_plan"),
        )
        indexes = (models.Index(fields=("status", "layer"), name="experiment_by_status"),)

    def __str__(self) -> str:
        return self.name


class Arm(models.Model):
    """One of the things that are compared; the one called `control` is what the others are compared with."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="arms", editable=False)
    position = models.PositiveSmallIntegerField(editable=False)
    name = models.CharField(max_length=40, editable=False)
    variant = models.CharField(max_length=40, default=CONTROL, editable=False, help_text="of the live copy")
    recommender = models.CharField(max_length=40, blank=True, editable=False)
    weight = models.FloatField(default=1.0, validators=[MinValueValidator(0.0)], editable=False)

    class Meta:
        ordering = ("experiment", "position")
        default_permissions = ("view",)
        constraints = (
            models.UniqueConstraint(fields=("experiment", "name"), name="one_arm_of_a_name"),
            models.CheckConstraint(condition=Q(weight__gt=0), name="arm_weight"),
        )

    def __str__(self) -> str:
        return self.name


class ExperimentUnit(models.Model):
    """Who took part, with what they did within the window of their first exposure. Derived from events, by SQL."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="units", editable=False)
    unit = models.CharField(max_length=16, editable=False, help_text="pseudonym of a shopper or a session")
    arm = models.CharField(max_length=40, editable=False, help_text="the first that was seen")
    exposed_at = models.DateTimeField(editable=False)
    has_changed_arm = models.BooleanField(default=False, editable=False)
    is_bot = models.BooleanField(default=False, editable=False)
    is_holdout = models.BooleanField(default=False, editable=False, help_text="of a bandit")
    device = models.CharField(max_length=12, blank=True, editable=False)
    locale = models.CharField(max_length=12, blank=True, editable=False)
    is_returning = models.BooleanField(default=False, editable=False)
    impressions = models.PositiveIntegerField(default=0, editable=False)
    clicks = models.PositiveIntegerField(default=0, editable=False)
    carts = models.PositiveIntegerField(default=0, editable=False)
    purchases = models.PositiveIntegerField(default=0, editable=False)
    revenue = models.FloatField(default=0.0, editable=False)
    helpful = models.PositiveIntegerField(default=0, editable=False)
    not_helpful = models.PositiveIntegerField(default=0, editable=False)
    before = models.FloatField(default=0.0, editable=False, help_text="the primary metric before the exposure")

    class Meta:
        default_permissions = ("view",)
        constraints = (models.UniqueConstraint(fields=("experiment", "unit"), name="one_row_a_unit"),)
        indexes = (models.Index(fields=("unit",), name="experiment_unit_by_unit"),)

    def __str__(self) -> str:
        return f"{self.unit} in {self.arm}"


class ExperimentLook(models.Model):
    """A planned look that was taken: never taken again, and its interval is the last one until the next look."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="looks", editable=False)
    arm = models.CharField(max_length=40, editable=False)
    number = models.PositiveSmallIntegerField(editable=False)
    at = models.DateTimeField(editable=False)
    fraction = models.FloatField(editable=False, help_text="of the plan, by information")
    n = models.PositiveIntegerField(editable=False, help_text="units of both arms")
    value = models.FloatField(editable=False)
    low = models.FloatField(null=True, editable=False)
    high = models.FloatField(null=True, editable=False)

    class Meta:
        ordering = ("experiment", "arm", "number")
        default_permissions = ("view",)
        constraints = (models.UniqueConstraint(fields=("experiment", "arm", "number"), name="one_look_of_a_number"),)

    def __str__(self) -> str:
        return f"look {self.number} at {self.arm}"
