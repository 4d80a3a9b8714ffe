"""Drafts before a judge that says what it is told to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inference import loader
from inference.models import ModelVersion
from tests import factories

CLAIMS = "policy_claims"


def accuser(settings: Any, **options: Any) -> ModelVersion:
    """Make a judge the champion that sees `says` in every draft (tests/backends.py)."""
    backends = {**settings.INFERENCE.backends, "accuser": "tests.backends.Accuser"}
    settings.INFERENCE = replace(settings.INFERENCE, backends=backends)
    loader.forget()
    return factories.model_version(CLAIMS, backend="accuser", artifact_hash="", options=options)
