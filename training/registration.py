"""Register a model: from a directory, a hub id or an endpoint; tried before it is recorded."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.actors import SystemActor, require_permission
from core.exceptions import EcomsiteError, PermanentError
from inference import artifacts, judging, loader, prompts
from inference.contracts import CopyBrief, Fact, TextClassifier, TextEncoder, TextGenerator
from inference.models import ModelVersion, Role
from labeling.question import question
from training import registry

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# Of what answers no question; the others' stands in their question.
DEFAULT_BACKEND: Mapping[str, str] = {Role.COPYWRITER: "causal_lm", Role.ENCODER: "sentence_encoder"}
HUB_FILES = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja", "LICENSE*", "README.md"]
TRIAL_TEXT = "The best kettle in the world, for free."
TRIAL_TITLES = {"en": "Plain Steel Mug", "zh-Hans": "素面不锈钢杯"}


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a model comes from, and how it is to be run."""

    location: str
    role: str
    locales: Sequence[str]
    backend: str = ""
    name: str = ""
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    licence: str = ""

    @property
    def is_endpoint(self) -> bool:
        return self.location.startswith(("http://", "https://"))


def register_source(source: Source, *, actor: User | SystemActor) -> ModelVersion:
    """Store, try and record the model of `source`; return its version. Nothing is recorded when the trial fails.

    Raises `PermanentError` when the source cannot be had or produces nothing usable; `TransientError` when an endpoint
    does not answer; `PermissionDenied` without `inference.register_model`.
    """
    require_permission(actor, "inference.register_model")
    if source.role == Role.JUDGE and not source.is_endpoint:
        raise PermanentError(
            "a second judge is asked over an endpoint", hint="Serve the model, and give the address up to and with /v1."
        )
    backend = source.backend or (
        "openai_compatible" if source.is_endpoint else DEFAULT_BACKEND.get(source.role) or question(source.role).backend
    )
    options = dict(source.options)
    artifact_hash = ""
    if source.is_endpoint:
        options = {"base_url": source.location, **options}
    else:
        with directory_of(source.location) as directory:
            artifact_hash = artifacts.store_directory(directory)
    candidate = ModelVersion(
        role=source.role,
        name=source.name or str(options.get("model") or Path(source.location).name),
        number=0,
        backend=backend,
        options=options,
        locales=list(source.locales),
        artifact_hash=artifact_hash,
        source=source.location,
        licence=source.licence,
    )
    smoke_test(candidate)
    return registry.register(candidate, actor=actor)


def smoke_test(version: ModelVersion) -> None:
    """Load `version` and let it work once in each of its languages. Raises `PermanentError` saying what went wrong."""
    try:
        backend = loader.build(version)
    except EcomsiteError:
        raise
    except Exception as exc:  # transformers raises what it likes about a directory it cannot read
        raise PermanentError(
            f"{version.name} does not load on the back end {version.backend}: {type(exc).__name__}: {exc}"
        ) from exc
    if version.role == Role.COPYWRITER and isinstance(backend, TextGenerator):
        for locale in version.locales:
            if locale not in TRIAL_TITLES:
                raise PermanentError(f"there is no prompt for {locale!r}", hint=f"Known: {', '.join(TRIAL_TITLES)}.")
            brief = CopyBrief("description", locale, TRIAL_TITLES[locale], facts=[Fact("Capacity", "350 ml")])
            params = prompts.params_for("description", seed=1, overrides={"max_new_tokens": 24, "temperature": 0})
            prompt = prompts.render(brief, version=prompts.version_for(version.options))
            if not backend.generate([prompt], params)[0].text.strip():
                raise PermanentError(f"{version.name} wrote nothing in {locale}")
    elif version.role not in Role.values and isinstance(backend, TextClassifier):
        if stray := set(backend.labels) - set(question(version.role).labels):
            raise PermanentError(
                f"{version.name} has the labels {', '.join(sorted(stray))}",
                hint="""Map them: `--option labels='{"LABEL_0": "negative", "LABEL_1": "positive"}'`.""",
            )
        (answer,) = backend.classify(["It is fine."])
        if answer.is_several != question(version.role).is_multiple:
            gives, asked = ("several labels", "one holds") if answer.is_several else ("one label", "several may hold")
            raise PermanentError(
                f"{version.name} gives {gives} a text, and of {version.role} {asked}",
                hint=f"Train one here: `manage.py train {version.role}`.",
            )
    elif version.role == Role.JUDGE and isinstance(backend, TextGenerator):
        (said,) = backend.generate([judging.render(TRIAL_TEXT) or []], judging.PARAMS)
        if judging.read(said.text) is None:
            raise PermanentError(
                f"{version.name} does not answer with the JSON that a judge is asked for, but with {said.text[:80]!r}",
                hint="Take a larger model, or one that is made for instructions.",
            )
    elif version.role == Role.ENCODER and isinstance(backend, TextEncoder):
        backend.encode(["It is fine."])
    else:
        raise PermanentError(f"the back end {version.backend} cannot serve the role {version.role}")


@contextmanager
def directory_of(location: str) -> Iterator[Path]:
    """Give the folder of a model on disk, or of one downloaded from the hub and removed again afterwards."""
    path = Path(location).expanduser()
    if path.is_dir():
        yield path
        return
    if path.is_absolute() or location.startswith((".", "~")) or location.count("/") != 1:
        raise PermanentError(f"{location} is no directory", hint="Give a directory, a hub id `owner/name`, or a URL.")
    from huggingface_hub import snapshot_download  # heavy, and needed for this kind of source alone

    with tempfile.TemporaryDirectory(prefix="ecomsite-hub-") as folder:
        try:
            snapshot_download(location, local_dir=folder, allow_patterns=HUB_FILES)
        except Exception as exc:  # the hub client raises a dozen kinds, all of which mean "not had"
            raise PermanentError(
                f"{location} cannot be had from the hub ({type(exc).__name__})",
                hint="Without a way to the hub (or with HF_HUB_OFFLINE=1) copy the model's folder here and name that.",
            ) from exc
        yield Path(folder)
