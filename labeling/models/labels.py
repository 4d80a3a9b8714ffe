"""Label quality: every person's vote, the label held to be true, and the labels that look wrong.

A subject is the opaque reference of what was labelled; `question` is the name of what was asked about it.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.jobs import LongJob


class Vote(models.Model):
    """What one person said about one subject, as one label: everything that is measured about people starts here.

    A rater is `user:<id>`, or a pseudonym that an import gave. Each has one vote on a subject, the latest.
    """

    class Purpose(models.TextChoices):
        LABEL = "label", "Label"
        ADJUDICATION = "adjudication", "Adjudication"
        SECOND_REVIEW = "second_review", "Blind second review"
        AUDIT = "audit", "Blind re-review"
        GOLD = "gold", "Known answer"

    question = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    rater = models.CharField(max_length=80)
    label = models.CharField(max_length=60)
    purpose = models.CharField(max_length=16, choices=Purpose, default=Purpose.LABEL)
    suggestion = models.CharField(max_length=60, blank=True, help_text="what the model said, shown or not")
    is_assisted = models.BooleanField(null=True, help_text="whether the suggestion was shown; empty: not known")
    expected = models.CharField(max_length=60, blank=True, help_text="the known answer, where this was a test")
    seconds = models.FloatField(null=True, blank=True, help_text="spent on it")
    source = models.CharField(max_length=60, default="label_studio", help_text="or import:<id>")
    voted_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("question", "subject", "rater"), name="one_vote_per_rater"),)
        indexes = (
            models.Index(fields=("question", "voted_at"), name="vote_by_time"),
            models.Index(fields=("rater", "voted_at"), name="vote_by_rater"),
        )

    def __str__(self) -> str:
        return f"{self.rater} on {self.subject}: {self.label}"


class Label(models.Model):
    """The label that a subject has: what people agreed on, or what an import brought. Training learns from these."""

    question = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    label = models.CharField(max_length=60)
    method = models.CharField(max_length=24, help_text="how it came about: single, majority, dawid_skene, import …")
    quality = models.FloatField(null=True, blank=True, help_text="0 to 1: how sure the method is")
    n_votes = models.PositiveIntegerField(default=1)
    source = models.CharField(max_length=60, default="label_studio", help_text="or import:<id>")
    labelled_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)
        permissions = (("import_labels", "Can bring labels in"), ("export_labels", "Can take labels out"))
        constraints = (models.UniqueConstraint(fields=("question", "subject"), name="one_label_per_subject"),)
        indexes = (models.Index(fields=("question", "labelled_at"), name="label_by_time"),)

    def __str__(self) -> str:
        return f"{self.subject}: {self.label}"


class RaterModel(models.Model):
    """What is known about one rater in one queue: how often each true label got which vote. Fitted on a schedule.

    The rater `*` is the usual one: what all do together, for people who are new, and how common each label is.
    """

    USUAL = "*"

    question = models.CharField(max_length=120, help_text="the queue; where several answers may hold, queue/answer")
    rater = models.CharField(max_length=80)
    n_votes = models.PositiveIntegerField()
    confusion = models.JSONField(help_text="true label → given label → probability (Dawid and Skene)")
    quality = models.FloatField(help_text="expected share of right answers, 0 to 1")
    label_shares = models.JSONField(default=dict, help_text="of the usual rater: label → how common it is")
    calibrations = models.JSONField(
        default=dict, db_default={}, help_text="of the usual rater: method → how far its consensus can be believed"
    )
    fitted_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("question", "rater")
        constraints = (models.UniqueConstraint(fields=("question", "rater"), name="one_model_per_rater"),)

    def __str__(self) -> str:
        return f"{self.rater} in {self.question}"


class LabelCheck(LongJob):
    """One search for labels that look wrong in a queue.

    Its lease is renewed while it runs; an interrupted one resumes.
    """

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        RUNNING = "running", "Running"
        COMPLETED = "completed", "Completed"
        FAILED = "failed", "Failed"

    question = models.CharField(max_length=60)
    status = models.CharField(max_length=12, choices=Status, default=Status.PLANNED)
    reason = models.CharField(max_length=200, help_text="why it was started")
    n_labels = models.PositiveIntegerField(default=0)
    n_issues = models.PositiveIntegerField(default=0, help_text="labels that look wrong")
    report = models.JSONField(default=dict, blank=True, help_text="what was computed, with which models and versions")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        permissions = (("check_labels", "Can start a search for wrong labels"),)
        constraints = (
            models.UniqueConstraint(
                fields=("question",), condition=Q(status__in=("planned", "running")), name="one_open_check_per_queue"
            ),
            models.CheckConstraint(
                condition=Q(status__in=("planned", "running", "completed", "failed")), name="label_check_status"
            ),
        )

    def __str__(self) -> str:
        return f"check of {self.question} at {self.created_at:%F %T}"


class LabelIssue(models.Model):
    """A label that looks wrong: a candidate, until a second person who has not seen it has judged the subject."""

    class Status(models.TextChoices):
        OPEN = "open", "Waits for its turn"
        IN_REVIEW = "in_review", "With a second person"
        CONFIRMED = "confirmed", "The label was wrong"
        DISMISSED = "dismissed", "The label was right"
        STALE = "stale", "The label changed, or cannot be asked about any more"

    question = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    found_by = models.ForeignKey(LabelCheck, null=True, on_delete=models.SET_NULL, related_name="issues")
    methods = ArrayField(models.CharField(max_length=24), help_text="cleanlab, loss, combined, rereview …")
    given = models.CharField(max_length=60)
    suggested = models.CharField(max_length=60, blank=True)
    score = models.FloatField(help_text="0 to 1: how well the label fits; the lowest go first")
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN)
    verdict = models.CharField(max_length=60, blank=True, help_text="what the second person said")
    created_at = models.DateTimeField(auto_now_add=True)
    judged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("score", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("question", "subject"), condition=Q(status__in=("open", "in_review")), name="one_open_issue"
            ),
            models.CheckConstraint(
                condition=Q(status__in=("open", "in_review", "confirmed", "dismissed", "stale")),
                name="label_issue_status",
            ),
        )
        indexes = (
            models.Index(fields=("question", "score"), condition=Q(status="open"), name="label_issue_next"),
            models.Index(fields=("question", "judged_at"), name="label_issue_judged"),
        )

    def __str__(self) -> str:
        return f"{self.subject}: {self.given}?"


class OutOfSample(models.Model):
    """What a model that never saw the subject thinks of it: a probability for each label of the queue."""

    question = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    labels = ArrayField(models.CharField(max_length=60), help_text="in the order of the probabilities")
    probabilities = ArrayField(models.FloatField())
    second = ArrayField(models.FloatField(), null=True, help_text="of the second model, where there is one")
    model = models.CharField(max_length=200, help_text="which model, and how the subject was kept from it")
    computed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("question", "subject"), name="one_out_of_sample"),)

    def __str__(self) -> str:
        return f"{self.subject} by {self.model}"


class TextVector(models.Model):
    """The embedding of a subject's text: what is computed once is not computed again."""

    subject = models.CharField(max_length=120)
    encoder = models.CharField(max_length=64, help_text="hash of the encoder's artefact")
    text_hash = models.CharField(max_length=64)
    vector = models.BinaryField(help_text="float16, little endian, of unit length")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("subject", "encoder"), name="one_vector_per_encoder"),)

    def __str__(self) -> str:
        return f"vector of {self.subject}"
