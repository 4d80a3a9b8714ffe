"""Moments that Python does not hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection

from catalog.importing import import_reviews
from catalog.models import CustomerReview
from core.actors import SystemActor
from core.far_dates import FIRST, LAST


@pytest.mark.django_db
def test_moments_out_of_range_that_are_stored_do_not_fail_what_reads_them(tmp_path: Path) -> None:
    line = '{"text": "Old", "external_id": "%s", "written_at": "2022-03-22"}\n'
    path = tmp_path / "r.jsonl"
    path.write_text("".join(line % key for key in "abc"))
    import_reviews(path, actor=SystemActor("tests"))
    with connection.cursor() as cursor:
        for key, value in (("a", "0001-01-01 00:00:00+02:00"), ("b", "9999-12-31 23:59:59-05:00"), ("c", "infinity")):
            cursor.execute("UPDATE catalog_customerreview SET written_at = %s WHERE external_id = %s", [value, key])
    found = dict(CustomerReview.objects.values_list("external_id", "written_at"))
    assert found == {"a": FIRST, "b": LAST, "c": LAST}
    path.write_text(line % "a")
    again = import_reviews(path, actor=SystemActor("tests"))
    assert (again.n_updated, again.n_bad) == (1, 0)
    CustomerReview.objects.all().delete()
