"""Classifiers that lie in the artefact of another one: each in a folder of its own, described where it is used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from core.exceptions import PermanentError
from core.loading import load_class
from inference.contracts import TextClassifier


def load_part(folder: Path, about: Mapping[str, Any], options: Mapping[str, Any]) -> TextClassifier:
    """Return the classifier in `folder`; `about` names its `backend` and the `options` it was made with.

    `options` go before these. Raises `PermanentError` where there is no such back end.
    """
    backends = settings.INFERENCE.backends
    if about["backend"] not in backends:
        raise PermanentError(f"there is no back end called {about['backend']!r}")
    kind = load_class(backends[about["backend"]], TextClassifier)
    return kind(directory=folder, options={**about.get("options", {}), **options})
