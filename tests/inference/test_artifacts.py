"""The artefact store: same content once, damage named, code refused."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from core.exceptions import PermanentError, TransientError
from inference import artifacts
from tests.faults.server_faults import can_fill_a_disk


@pytest.fixture(autouse=True)
def _own_store(settings, tmp_path: Path) -> None:
    settings.INFERENCE = replace(settings.INFERENCE, artifacts=tmp_path / "store")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights" * 1000)
    (folder / "sub" / "config.json").write_text("{}")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "junk").write_text("left out")
    return folder


def test_what_a_killed_process_left_goes_after_a_day(model: Path, tmp_path: Path) -> None:
    left, fresh = (tmp_path / "store" / f".incoming-{name}" for name in ("left", "fresh"))
    for folder in (left, fresh):
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"half")
    os.utime(left, (0, 0))
    artifacts.store_directory(model)
    assert (left.exists(), fresh.exists()) == (False, True), "another process may be writing the fresh one"


def test_a_full_disk_is_said_leaves_nothing_behind_and_the_same_again_works_when_there_is_room(
    model: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    if not can_fill_a_disk(store):
        pytest.skip("it takes root to mount a small file system")
    (model / "model.safetensors").write_bytes(b"w" * 3_000_000)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(store)], check=True)
    try:
        with pytest.raises(TransientError, match="no room"):
            artifacts.store_directory(model)
        assert list(store.iterdir()) == []
        subprocess.run(["mount", "-o", "remount,size=8m", str(store)], check=True)
        artifacts.verify(artifacts.path_for(artifacts.store_directory(model)))
    finally:
        subprocess.run(["umount", str(store)], check=True)


def test_a_stored_folder_verifies_and_lists_its_files(model: Path) -> None:
    stored = artifacts.path_for(artifacts.store_directory(model, created_from={"package": "x"}))
    artifacts.verify(stored)
    manifest = artifacts.read_manifest(stored)
    assert [(entry.path, entry.size) for entry in manifest.files] == [
        ("model.safetensors", 7000),
        ("sub/config.json", 2),
    ]
    assert manifest.created_from == {"package": "x"}
    assert [path.name for path in artifacts.root().iterdir()] == [stored.name]  # nothing half-written is left


def test_what_was_made_from_the_same_is_found_if_it_is_whole(model: Path) -> None:
    assert artifacts.find({"package": "x==1"}) is None
    stored = artifacts.store_directory(model, created_from={"package": "x==1"})
    assert artifacts.find({"package": "x==1"}) == stored
    assert artifacts.find({"package": "x==2"}) is None
    (artifacts.path_for(stored) / "model.safetensors").write_bytes(b"others" * 1000)
    artifacts._verified.clear()
    assert artifacts.find({"package": "x==1"}) is None


def test_the_same_content_is_stored_once(model: Path) -> None:
    assert artifacts.store_directory(model) == artifacts.store_directory(model)
    assert len(list(artifacts.root().iterdir())) == 1


def _change(stored: Path) -> None:
    (stored / "model.safetensors").write_bytes(b"Weights" + b"weights" * 999)


def _truncate(stored: Path) -> None:
    (stored / "model.safetensors").write_bytes(b"")


def _remove(stored: Path) -> None:
    (stored / "model.safetensors").unlink()


def _replace_by_link(stored: Path) -> None:
    (stored / "model.safetensors").unlink()
    (stored / "model.safetensors").symlink_to("/etc/hostname")


def _rewrite_manifest(stored: Path) -> None:
    path = stored / artifacts.MANIFEST
    path.write_text(path.read_text().replace("7000", "7001"))


def _drop_manifest(stored: Path) -> None:
    (stored / artifacts.MANIFEST).unlink()


def _add_a_file(stored: Path) -> None:
    (stored / "chat_template.jinja").write_text("{{ evil }}")


def _add_code(stored: Path) -> None:
    (stored / "modeling_evil.py").write_text("import os")


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (_change, "model.safetensors"),
        (_truncate, "model.safetensors"),
        (_remove, "model.safetensors"),
        (_replace_by_link, "model.safetensors"),
        (_rewrite_manifest, "manifest.json"),
        (_drop_manifest, "manifest.json"),
        (_add_a_file, "chat_template.jinja"),
        (_add_code, "modeling_evil.py"),
    ],
)
def test_a_tampered_artefact_is_not_loaded(model: Path, tamper, named: str) -> None:
    stored = artifacts.path_for(artifacts.store_directory(model))
    tamper(stored)
    with pytest.raises(PermanentError, match=named):
        artifacts.verify(stored)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "head.pkl", "modeling.py", "PYTORCH_MODEL.BIN"])
def test_files_that_may_hold_code_are_refused(model: Path, name: str) -> None:
    (model / name).write_bytes(b"x")
    with pytest.raises(PermanentError, match="may hold code"):
        artifacts.store_directory(model)
    assert not artifacts.root().exists() or not list(artifacts.root().iterdir())


def test_a_link_that_leaves_the_folder_is_refused(model: Path) -> None:
    (model / "tokenizer.json").symlink_to("/etc/passwd")
    with pytest.raises(PermanentError, match="leaves the folder"):
        artifacts.store_directory(model)


def test_a_linked_folder_that_leaves_the_folder_is_refused(model: Path) -> None:
    (model / "more").symlink_to("/etc")
    with pytest.raises(PermanentError, match="leaves the folder"):
        artifacts.store_directory(model)


@pytest.mark.parametrize("name", ["../../etc", "", "x" * 64, "A" * 64])
def test_what_is_no_hash_names_no_folder(name: str) -> None:
    with pytest.raises(PermanentError):
        artifacts.path_for(name)
