"""Names resolve to versions; a version loads once, and an alias that moved takes effect with the next call."""

from __future__ import annotations

import pytest

from core.exceptions import PermanentError
from inference import artifacts, loader, resolver
from inference.models import ModelVersion, Role
from tests.factories import model_version
from tests.model_store import tiny_bert

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forget():
    loader.forget()
    yield
    loader.forget()


@pytest.fixture(scope="session")
def encoder_hash(tmp_path_factory: pytest.TempPathFactory) -> str:
    return artifacts.store_directory(tiny_bert(tmp_path_factory.mktemp("tiny-bert")))


def encoder_version(artifact_hash: str, **fields: object) -> ModelVersion:
    return model_version(Role.ENCODER, artifact_hash=artifact_hash, options={"device": "cpu"}, **fields)


def test_a_role_without_a_champion_is_named_with_the_way_out() -> None:
    assert resolver.find("copywriter") is None
    with pytest.raises(PermanentError, match="prepare_models"):
        resolver.resolve("copywriter")


def test_a_locale_the_champion_cannot_write_is_refused_with_the_command_to_register_one() -> None:
    version = model_version(locales=["en"])
    assert resolver.writer_for("en") == version
    with pytest.raises(PermanentError, match=r"zh-Hans.*register_model.*--locales en,zh-Hans"):
        resolver.writer_for("zh-Hans")


def test_a_language_covers_its_variants_but_not_the_other_way_round() -> None:
    assert resolver.can_work_in(ModelVersion(locales=["zh"]), "zh-Hans")
    assert not resolver.can_work_in(ModelVersion(locales=["zh-Hant"]), "zh-Hans")
    assert not resolver.can_work_in(ModelVersion(locales=["e"]), "en")


def test_a_version_is_loaded_once_and_replaced_when_another_is_asked_for(encoder_hash: str) -> None:
    first, second = encoder_version(encoder_hash), encoder_version(encoder_hash)
    loaded = loader.load_encoder(first)
    assert loader.load_encoder(ModelVersion.objects.get(pk=first.pk)) is loaded
    assert loader.load_encoder(second) is not loaded


def test_a_version_on_the_wrong_kind_of_back_end_is_refused(encoder_hash: str) -> None:
    with pytest.raises(PermanentError, match="no TextGenerator"):
        loader.load_generator(encoder_version(encoder_hash))


def test_a_missing_artefact_and_an_unknown_back_end_are_named() -> None:
    with pytest.raises(PermanentError, match="is not in"):
        loader.load_encoder(model_version(Role.ENCODER))
    with pytest.raises(PermanentError, match="no back end called"):
        loader.load_encoder(model_version(Role.ENCODER, backend="abacus"))
