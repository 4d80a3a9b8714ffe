"""Our side of Label Studio in the console: what was sent, what came back, what is still on its way."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from core.admin import ReadOnlyAdmin, ReadOnlyInline
from labeling.models import (
    Annotation,
    CompletenessProof,
    Consensus,
    Drift,
    LabelingProject,
    LabelingTask,
    TaskLease,
    WebhookEvent,
)

TASK_COLOURS = {"open": "warning", "pushed": "info", "settled": "success", "withdrawn": ""}


@admin.register(LabelingProject)
class LabelingProjectAdmin(ReadOnlyAdmin):
    """One Label Studio project for each question."""

    list_display = ("title", "question", "ls_project_id", "reconciled_at", "reconciled_until")


class AnnotationInline(ReadOnlyInline):
    """What people answered."""

    model = Annotation
    fields = ("ls_annotation_id", "annotator", "standing", "was_cancelled", "lead_time", "ls_updated_at")
    readonly_fields = fields


class TaskLeaseInline(ReadOnlyInline):
    """Who was handed it."""

    model = TaskLease
    fields = ("person", "since", "until")
    readonly_fields = fields


class ConsensusInline(ReadOnlyInline):
    """What the answers came to."""

    model = Consensus
    fields = ("method", "answer", "settled_at")
    readonly_fields = fields


@admin.register(LabelingTask)
class LabelingTaskAdmin(ReadOnlyAdmin):
    """Tasks and how far each one came."""

    list_display = (
        "reference",
        "project",
        "state",
        "ls_task_id",
        "created_at",
        "pushed_at",
        "settled_at",
        "last_error",
    )
    list_filter = ("status", "project")
    list_select_related = ("project",)
    search_fields = ("reference", "=ls_task_id")
    ordering = ("-created_at",)
    inlines = (TaskLeaseInline, AnnotationInline, ConsensusInline)

    @display(description="state", ordering="status", label=TASK_COLOURS)
    def state(self, obj: LabelingTask) -> tuple[str, str]:
        """The state as a coloured label."""
        return obj.status, obj.get_status_display()


@admin.register(Annotation)
class AnnotationAdmin(ReadOnlyAdmin):
    """Our copy of the answers given in Label Studio, and why one does not count."""

    list_display = (
        "ls_annotation_id",
        "task",
        "annotator",
        "counts",
        "was_cancelled",
        "lead_time",
        "stamped_at",
        "ls_updated_at",
    )
    list_filter = ("standing", "was_cancelled")
    list_select_related = ("task", "annotator")
    ordering = ("-ls_updated_at",)

    @display(description="counts", ordering="standing", label={"counts": "success", "refused": "danger"})
    def counts(self, obj: Annotation) -> tuple[str, str]:
        """Whether it counts, or why not, as a coloured label."""
        return "counts" if obj.standing == Annotation.Standing.COUNTS else "refused", obj.get_standing_display()


@admin.register(Consensus)
class ConsensusAdmin(ReadOnlyAdmin):
    """What the annotators of a task agreed on."""

    list_display = ("task", "method", "answer", "settled_at")
    list_filter = ("method",)
    list_select_related = ("task",)
    ordering = ("-settled_at",)


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin):
    """The inbox: hints from Label Studio and what became of them."""

    list_display = ("received_at", "action", "state", "ls_project_id", "ls_task_ids", "processed_at", "last_error")
    list_filter = ("status", "action")
    ordering = ("-received_at",)

    @display(
        description="state", ordering="status", label={"received": "warning", "processed": "success", "ignored": ""}
    )
    def state(self, obj: WebhookEvent) -> tuple[str, str]:
        """The state as a coloured label."""
        return obj.status, obj.get_status_display()


@admin.register(Drift)
class DriftAdmin(ReadOnlyAdmin):
    """What in Label Studio was not as we had set it."""

    nothing_here = "Nothing has differed yet"
    what_brings = "Label Studio is compared with what we set each minute."
    list_display = ("found_at", "what", "project", "words", "since", "mended_at")
    list_filter = ("what", "is_known")
    list_select_related = ("project",)
    ordering = ("-found_at",)


@admin.register(CompletenessProof)
class CompletenessProofAdmin(ReadOnlyAdmin):
    """Whether everything in Label Studio is accounted for, night by night."""

    nothing_here = "Not proven yet"
    what_brings = "It runs every night; “manage.py prove_completeness” does it now."
    list_display = ("started_at", "project", "state", "n_tasks", "n_accounted", "n_repaired", "words", "finished_at")
    list_filter = ("project",)
    list_select_related = ("project",)
    ordering = ("-started_at",)

    @display(description="state", label={"holds": "success", "open": "danger", "unfinished": "warning"})
    def state(self, obj: CompletenessProof) -> tuple[str, str]:
        """The outcome as a coloured label."""
        if obj.finished_at is None:
            return "unfinished", "Broken off"
        return ("holds", "All accounted for") if obj.holds else ("open", "Not accounted for")
