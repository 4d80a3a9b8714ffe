"""Load the back end of a model version, once per process: the version's id is the cache key.

Callers resolve the alias on every call, so a promotion takes effect with the next batch. One model per role is kept;
the one before it is dropped as soon as another version of the role is asked for.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from typing import Any, TypeVar

from django.conf import settings

from core.exceptions import PermanentError
from core.loading import load_class
from inference import artifacts, calibration
from inference.contracts import Backend, TextClassifier, TextEncoder, TextGenerator
from inference.models import ModelVersion

B = TypeVar("B", bound=Backend)

_lock = threading.Lock()
_loaded: dict[str, tuple[uuid.UUID, Backend]] = {}


def _load(version: ModelVersion, kind: type[B]) -> B:
    with _lock:
        kept = _loaded.get(version.role)
        if kept is None or kept[0] != version.pk:
            _loaded.pop(version.role, None)  # free the old weights before the new ones come in
            kept = (version.pk, calibration.fit(version, lambda more: build(version, more)))
            _loaded[version.role] = kept
    backend = kept[1]
    if not isinstance(backend, kind):
        raise PermanentError(
            f"{version} runs on the back end {version.backend}, which is no {kind.__name__}",
            hint=f"Register a model for the role {version.role} with a back end that is one.",
        )
    return backend


def build(version: ModelVersion, more: Mapping[str, Any] | None = None) -> Backend:
    """Verify the artefact of `version` and return its back end, uncached, with `more` options.

    Raises `PermanentError`.
    """
    backends = settings.INFERENCE.backends
    path = backends.get(version.backend)
    if path is None:
        raise PermanentError(f"there is no back end called {version.backend!r}", hint=f"Known: {', '.join(backends)}.")
    directory = None
    if version.artifact_hash:
        directory = artifacts.path_for(version.artifact_hash)
        artifacts.verify(directory)
    return load_class(path, Backend)(directory=directory, options={**version.options, **(more or {})})


def load_generator(version: ModelVersion) -> TextGenerator:
    """Return the loaded generator of `version`.

    Raises `PermanentError` for a damaged artefact or another kind of model.
    """
    return _load(version, TextGenerator)


def load_classifier(version: ModelVersion) -> TextClassifier:
    """Return the loaded classifier of `version`. Raises as `load_generator`."""
    return _load(version, TextClassifier)


def load_encoder(version: ModelVersion) -> TextEncoder:
    """Return the loaded encoder of `version`. Raises as `load_generator`."""
    return _load(version, TextEncoder)


def forget() -> None:
    """Drop every loaded model of this process."""
    with _lock:
        _loaded.clear()
