"""What a dry run of labels says can be read on a terminal of eighty columns, whatever the labels are called."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command

pytestmark = pytest.mark.django_db


def test_a_dry_run_fits_eighty_columns_and_cuts_nothing(tmp_path: Path) -> None:
    rows = [
        {"text": f"Text {number}", "label": label}
        for number, label in enumerate(["positive", "neutral", "negative"] * 4)
    ]
    path = tmp_path / "labels.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = io.StringIO()
    call_command("import_labels", str(path), "--dry-run", stdout=out)
    said = out.getvalue()
    assert max(map(len, said.splitlines())) <= 80
    assert "…" not in said
    for name, n in {
        "rows": 12,
        "known reviews": 0,
        "duplicates": 0,
        "positive": 4,
        "neutral": 4,
        "negative": 4,
    }.items():
        (line,) = (line for line in said.splitlines() if name in line)
        assert line.split("│")[-2].strip() == str(n)
