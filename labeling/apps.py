"""The labelling app."""

from django.apps import AppConfig


class LabelingConfig(AppConfig):
    """Work that people do in Label Studio. It does not know what it labels."""

    name = "labeling"
    default_auto_field = "django.db.models.BigAutoField"
