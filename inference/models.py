"""The model registry: immutable versions, and aliases that point at them. Written by `training.registry` alone."""

from __future__ import annotations

import uuid

from django.db import models


class Role(models.TextChoices):
    """What a model is for that answers no question; the role of one that does is the question's name."""

    COPYWRITER = "copywriter", "Copywriter"
    ENCODER = "encoder", "Sentence encoder"
    JUDGE = "judge", "Second judge of claims"


class ModelVersion(models.Model):
    """A registered model. It has no status: aliases point at it, or they do not."""

    # What makes two versions the same model.
    IDENTITY = ("role", "backend", "options", "locales", "artifact_hash")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    role = models.CharField(max_length=60, help_text="copywriter, encoder, or the name of a question")
    name = models.CharField(max_length=200, help_text="e.g. SmolLM2-135M-Instruct")
    number = models.PositiveIntegerField(help_text="1, 2, 3 … within the role")
    backend = models.CharField(max_length=60, help_text="key of settings.INFERENCE.backends")
    options = models.JSONField(default=dict, blank=True, help_text="for the back end: endpoint, dtype, batch size …")
    locales = models.JSONField(default=list, help_text="languages it can work in, BCP 47")
    artifact_hash = models.CharField(
        max_length=64, blank=True, help_text="sha256 of the manifest; empty for an endpoint"
    )
    base_hash = models.CharField(max_length=64, blank=True)
    dataset_hash = models.CharField(max_length=64, blank=True)
    source = models.CharField(
        max_length=500, blank=True, help_text="hub id, directory, package or endpoint it came from"
    )
    licence = models.CharField(max_length=100, blank=True)
    card = models.JSONField(default=dict, blank=True, help_text="the model card: what was measured, on what")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("role", "-number")
        permissions = (("register_model", "Can register models"), ("promote_model", "Can move model aliases"))
        constraints = (models.UniqueConstraint(fields=("role", "number"), name="one_number_per_role"),)

    def __str__(self) -> str:
        return f"{self.role} v{self.number} ({self.name})"

    def is_same_model(self, other: ModelVersion) -> bool:
        """Whether `other` is the same model, whatever it is called and wherever it came from."""
        return all(getattr(self, name) == getattr(other, name) for name in self.IDENTITY)


class ModelAlias(models.Model):
    """A name that points at a version: champion serves, challenger is compared, previous is the way back."""

    class Name(models.TextChoices):
        CHAMPION = "champion", "Champion"
        CHALLENGER = "challenger", "Challenger"
        PREVIOUS = "previous", "Previous"

    role = models.CharField(max_length=60, help_text="copywriter, encoder, or the name of a question")
    name = models.CharField(max_length=24, choices=Name)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="aliases")
    moved_at = models.DateTimeField(auto_now=True)
    rolled_back = models.BooleanField(
        default=False, help_text="a person took the last champion back: the next one is let in by a person"
    )

    class Meta:
        ordering = ("role", "name")
        verbose_name_plural = "model aliases"
        constraints = (models.UniqueConstraint(fields=("role", "name"), name="one_version_per_alias"),)

    def __str__(self) -> str:
        return f"{self.role}@{self.name} → v{self.version.number}"


class Calibration(models.Model):
    """How a version runs fastest on one kind of machine (`inference.calibration`); written once, when it is tried."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="calibrations")
    machine = models.CharField(max_length=300, help_text="processor, what it can, cores, release of torch")
    options = models.JSONField(default=dict, blank=True, help_text="of the back end, beside those of the version")
    trials = models.JSONField(default=list, help_text="each way that was tried: texts a second, labels that differ")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (models.UniqueConstraint(fields=("version", "machine"), name="one_calibration_per_machine"),)

    def __str__(self) -> str:
        return f"{self.version} on {self.machine}"
