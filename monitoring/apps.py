"""The monitoring app."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Watches: health, readiness, numbers for the dashboard."""

    name = "monitoring"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Count refused sign-ins from the start."""
        from monitoring import refusals  # noqa: F401  (connects its receiver)
