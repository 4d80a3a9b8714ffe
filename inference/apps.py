"""The inference app."""

from django.apps import AppConfig


class InferenceConfig(AppConfig):
    """Model versions, the names that point at them, and the back ends that run them."""

    name = "inference"
    default_auto_field = "django.db.models.BigAutoField"
