"""Snapshots and reports in the console, to be read; runs have pages of their own."""

from __future__ import annotations

from django.contrib import admin

from core.admin import ReadOnlyAdmin
from training.models import DatasetSnapshot, EvaluationReport


@admin.register(DatasetSnapshot)
class DatasetSnapshotAdmin(ReadOnlyAdmin):
    """What models learnt from."""

    nothing_here = "No snapshot yet"
    what_brings = "Each run of training freezes one; “manage.py freeze_snapshot” does it alone."
    list_display = ("task", "artifact_hash", "n_train", "n_validation", "n_test", "created_at")
    list_filter = ("task",)
    search_fields = ("artifact_hash",)


@admin.register(EvaluationReport)
class EvaluationReportAdmin(ReadOnlyAdmin):
    """What was measured of each version, and the gate's verdict."""

    nothing_here = "Nothing was measured yet"
    what_brings = "Each run of training ends in a report; the page Training starts one."
    list_display = ("version", "verdict", "against", "gate_version", "created_at")
    list_filter = ("verdict",)
    list_select_related = ("version", "against")
