"""The monitoring app."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Watches: health, readiness, numbers for the dashboard."""

    name = "monitoring"
    default_auto_field = "django.db.models.BigAutoField"
