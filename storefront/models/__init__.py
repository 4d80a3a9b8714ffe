"""The tables of the storefront."""

from storefront.models.events import Event

__all__ = ["Event"]
