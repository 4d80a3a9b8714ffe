"""The commands around the registry, with tiny models on disk."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ecomsite.stack.ports import free_port
from inference import loader
from inference.models import ModelVersion
from tests.model_store import tiny_bert, tiny_llama
from tests.people import ml_engineer, reviewer

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="session")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama(tmp_path_factory.mktemp("models") / "tiny-writer")


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("models") / "tiny-classifier", labels=("neg", "pos"))


def run(*arguments: object) -> str:
    out = StringIO()
    call_command(*(str(argument) for argument in arguments), stdout=out)
    return out.getvalue()


def test_a_directory_that_writes_chinese_is_registered_promoted_and_listed(writer: Path) -> None:
    run(
        "register_model",
        writer,
        "--role",
        "copywriter",
        "--locales",
        "en,zh-Hans",
        "--promote",
        "--licence",
        "MIT",
        "--by",
        ml_engineer().username,
    )
    version = ModelVersion.objects.get()
    assert (version.name, version.backend, version.locales) == ("tiny-writer", "causal_lm", ["en", "zh-Hans"])
    assert loader.load_generator(version).directory is not None
    assert "champion" in run("models")
    again = run("register_model", writer, "--role", "copywriter", "--locales", "en,zh-Hans")
    assert "v1" in again
    another = run(
        "register_model", writer, "--role", "copywriter", "--locales", "en", "--promote", "--by", ml_engineer().username
    )
    assert "v2 (tiny-writer) is registered" in another
    assert "1 of 2 approvals" in another
    loader.forget()


def test_a_classifier_registers_when_its_labels_are_mapped(classifier: Path) -> None:
    with pytest.raises(CommandError, match="--option labels"):
        run("register_model", classifier, "--role", "sentiment", "--locales", "en")
    assert not ModelVersion.objects.exists()
    run(
        "register_model",
        classifier,
        "--role",
        "sentiment",
        "--locales",
        "en",
        "--option",
        'labels={"neg": "negative", "pos": "positive"}',
    )
    assert ModelVersion.objects.get().options == {"labels": {"neg": "negative", "pos": "positive"}}


def test_a_model_that_cannot_serve_the_role_is_refused(classifier: Path, tmp_path: Path) -> None:
    for arguments in (
        (classifier, "--role", "copywriter"),
        (classifier, "--role", "copywriter", "--backend", "sentence_encoder"),
        (tmp_path, "--role", "encoder"),
        (tmp_path / "absent", "--role", "encoder"),
        (f"http://127.0.0.1:{free_port()}/v1", "--role", "copywriter", "--model", "m", "--option", "attempts=1"),
    ):
        with pytest.raises(CommandError):
            run("register_model", *arguments, "--locales", "en")
    assert not ModelVersion.objects.exists()


def test_without_a_way_to_the_hub_a_hub_id_is_refused_with_the_way_out() -> None:
    with pytest.raises(CommandError, match="copy the model's folder"):
        run("register_model", "nobody/no-such-model", "--role", "copywriter", "--locales", "en")


def test_a_person_without_the_permission_registers_nothing(writer: Path) -> None:
    with pytest.raises(CommandError, match="lacks the permission"):
        run("register_model", writer, "--role", "copywriter", "--locales", "en", "--by", reviewer().username)


def test_promote_and_roll_back_by_command(writer: Path, tmp_path: Path) -> None:
    for locales in ("en", "en,zh-Hans"):
        run("register_model", writer, "--role", "copywriter", "--locales", locales)
    run("promote_model", "copywriter", 1, "--reason", "first")
    by = ("--reason", "writes Chinese", "--by")
    with pytest.raises(CommandError, match="0 of 2 approvals"):
        run("promote_model", "copywriter", 2, "--reason", "writes Chinese")
    assert "1 of 2 approvals. The next person" in run("promote_model", "copywriter", 2, *by, ml_engineer().username)
    assert "v2" in run("promote_model", "copywriter", 2, *by, ml_engineer().username)
    assert "v1" in run("promote_model", "copywriter", "--roll-back", "--reason", "too slow")
    with pytest.raises(CommandError, match="no copywriter v9"):
        run("promote_model", "copywriter", 9, "--reason", "typo")
