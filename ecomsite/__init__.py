"""ecomsite: the desk between a language model and the shopper."""

from ecomsite.celery import app as celery_app

__all__ = ("celery_app",)
