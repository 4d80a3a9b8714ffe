"""The catalogue app."""

from django.apps import AppConfig

from core.far_dates import read_them_as_near_ones


class CatalogConfig(AppConfig):
    """Products, their facts, customer reviews and the copy that is live."""

    name = "catalog"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Feeds bring dates of any kind, and older versions stored them."""
        read_them_as_near_ones()
