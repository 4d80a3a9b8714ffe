"""Fixtures of the training tests."""

from tests.model_store import prepared_models

__all__ = ["prepared_models"]
