"""The catalogue app."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Products, their facts, customer reviews and the copy that is live."""

    name = "catalog"
    default_auto_field = "django.db.models.BigAutoField"
