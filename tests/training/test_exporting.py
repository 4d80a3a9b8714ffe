"""A snapshot that is exported is read by the call that the documentation names, whatever its parts hold and lack."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from core.refs import ref
from inference import artifacts
from inference.contracts import CopyBrief, Fact
from labeling import labels
from labeling.models import Label
from tests import factories, people
from tests.training.copy_shop import decide_copy
from tests.training.shop import KIND, label_reviews
from training import exporting, snapshots
from training.models import DatasetSnapshot
from training.splits import SPLITS, split_of

pytestmark = pytest.mark.django_db


def exported(task: str, folder: Path) -> Any:
    """Freeze, export and load a data set as `manage.py freeze_snapshot --help` says."""
    from datasets import load_dataset

    call_command("freeze_snapshot", task, "--out", str(folder / "set"))
    return load_dataset(str(folder / "set"), cache_dir=str(folder / "cache"))


def skus(part: str, n: int) -> list[str]:
    """Return SKUs of products that fall into `part`."""
    return [sku for sku in (f"EXPORT-{number}" for number in range(2000)) if split_of(sku) == part][:n]


def test_a_snapshot_is_exported_as_a_data_set(tmp_path: Path, capsys: Any) -> None:
    label_reviews(160)
    found = exported("sentiment", tmp_path)
    assert "to train on" in capsys.readouterr().out
    snapshot = DatasetSnapshot.objects.get()
    assert [found[part].num_rows for part in SPLITS] == [snapshot.n_train, snapshot.n_validation, snapshot.n_test]
    assert [dict(row)["text"] for row in found["test"]] == [row.text for row in snapshots.read(snapshot, "test")]
    about = json.loads((tmp_path / "set" / "snapshot.json").read_text())
    assert set(about["labels"]) == {"positive", "neutral", "negative"}


def test_a_part_may_be_empty_and_what_is_unknown_in_one_be_known_in_another(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for sku in skus(part, 2):
            review = factories.customer_review(f"So so {sku}.", product=factories.product(sku=sku))
            labels.record_label(
                KIND, ref(review), label="neutral", method="single", quality=None, n_votes=1, at=review.created_at
            )
            if part == "test":
                labels.record_vote(
                    KIND,
                    ref(review),
                    rater="a",
                    label="neutral",
                    purpose="label",
                    at=Label.objects.latest("pk").labelled_at,
                    is_assisted=False,
                )
    found = exported("sentiment", tmp_path)
    assert set(found) == {"train", "test"}
    assert (found["train"]["blind"][:], found["test"]["blind"][:]) == ([None, None], [True, True])


@pytest.mark.parametrize("fixed", ["train", "test"])
def test_copy_that_was_fixed_in_one_part_alone_is_read(tmp_path: Path, fixed: str) -> None:
    for part in SPLITS:
        for sku in skus(part, 2):
            request = factories.generation_request(product_=factories.product(sku=sku, facts={"capacity": "350 ml"}))
            draft = factories.candidate(f"A mug {sku}.", request=request, status="approved")
            result = draft
            if part == fixed:
                result = factories.candidate(
                    f"A blue mug {sku}.", request=request, origin="human", parent=draft, model_version=None
                )
            reasons = ["unsupported_claim"] if sku == skus("test", 1)[0] else []
            outcome = "edit" if part == fixed else "approve"
            factories.decision(factories.review_item(draft), outcome, result=result, reasons=reasons)
    found = exported("copy", tmp_path)
    for part in SPLITS:
        assert all(bool(row["rejected"]) == (part == fixed) for row in found[part])
        assert {row["prompt"][0]["role"] for row in found[part]} <= {"system", "user"}
    assert found["test"]["reasons"][:].count(["unsupported_claim"]) == (fixed == "test")


@pytest.mark.parametrize("task", exporting.FIELDS)
def test_every_task_says_which_columns_it_has(task: str, tmp_path: Path) -> None:
    people.reviewer()
    label_reviews(12)
    decide_copy(12)
    found = exported(task, tmp_path)
    snapshot = DatasetSnapshot.objects.get()
    columns = {*exporting.ROW, *exporting.FIELDS[task]}
    source = artifacts.path_for(snapshot.artifact_hash)
    lines = [json.loads(line) for part in SPLITS for line in (source / f"{part}.jsonl").read_text().splitlines()]
    assert set().union(*lines) == columns
    assert sum(found[part].num_rows for part in found) == len(lines)
    # How the brand speaks is told by the prompt, and stands in no row.
    assert [field.name for field in dataclasses.fields(CopyBrief) if field.name != "voice"] == list(exporting.BRIEF)
    assert [field.name for field in dataclasses.fields(Fact)] == list(exporting.FACT)
