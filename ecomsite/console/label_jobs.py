"""Labels in and out: asking for an import or an export, how far it is, and the finished file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.actors import AuthenticatedHttpRequest
from core.exceptions import EcomsiteError, PermanentError
from ecomsite.console.pages import Act, action, page
from ecomsite.web.bodies import LARGEST
from labeling.question import current_name, queues
from moderation.label_exchange import jobs
from moderation.label_exchange.records import Rules
from moderation.models.label_jobs import LabelJob

SHOWN = 50
Asked = tuple[LabelJob, bool]


@require_safe
def overview(request: AuthenticatedHttpRequest) -> HttpResponse:
    """List the imports and exports, and offer to ask for one."""
    may = request.user.has_perm
    may_import, may_export = may("labeling.import_labels"), may("labeling.export_labels")
    if not (may_import or may_export):
        raise PermissionDenied
    kinds = [kind for kind, is_allowed in (("import", may_import), ("export", may_export)) if is_allowed]
    context = {
        "title": "Labels in and out",
        "jobs": LabelJob.objects.filter(kind__in=kinds).select_related("requested_by")[:SHOWN],
        "queues": queues(),
        "formats": list(jobs.EXPORTED_AS),
        "may_import": may_import,
        "may_export": may_export,
        "may_set_gold": may("moderation.set_gold"),
        "largest_mb": LARGEST // 2**20,
    }
    return page(request, "console/label_jobs.html", context)


@action
def bring_in(request: AuthenticatedHttpRequest) -> Act[Asked]:
    """Ask for an import of the file that was sent."""
    return Act(lambda: _bring_in(request), done=_in_words, back=reverse("console:label_jobs"), on=_page_of)


def _bring_in(request: AuthenticatedHttpRequest) -> Asked:
    form, file = request.POST, request.FILES.get("file")
    # Who may not import learns that, not what a form lacks.
    if not request.user.has_perm("labeling.import_labels"):
        raise PermissionDenied
    if file is None:
        raise PermanentError("Choose a file.")
    # The database takes no NUL.
    columns, labels, pool = (form.get(name, "").replace("\x00", "") for name in ("columns", "labels", "pool"))
    rules = Rules(_pairs(columns), _pairs(labels), pool.strip(), question=current_name(form.get("question", "")))
    return jobs.plan_import(
        file.chunks(), file_name=file.name or "", rules=rules, gold="gold" in form, actor=request.user
    )


@action
def take_out(request: AuthenticatedHttpRequest) -> Act[Asked]:
    """Ask for an export."""
    form = request.POST
    return Act(
        lambda: jobs.plan_export(
            question=current_name(form.get("question", "")),
            file_format=form.get("format", ""),
            with_votes="votes" in form,
            actor=request.user,
        ),
        done=_in_words,
        back=reverse("console:label_jobs"),
        on=_page_of,
    )


def _in_words(asked: Asked) -> str:
    return "It begins as soon as a worker is free." if asked[1] else "The same was asked for already: here it is."


def _page_of(asked: Asked) -> str:
    return reverse("console:label_job", args=[asked[0].pk])


@require_safe
def show(request: AuthenticatedHttpRequest, pk: UUID) -> HttpResponse:
    """Show how far an import or an export is, and what came of it."""
    job = _job(request, pk)
    return page(request, "console/label_job.html", {"title": f"{job.get_kind_display()} of labels", **_context(job)})


@require_safe
def show_fragment(request: AuthenticatedHttpRequest, pk: UUID) -> HttpResponse:
    """How far it is now."""
    return render(request, "console/_label_job.html", _context(_job(request, pk)))


@action
def cancel(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """Have an import or an export end."""
    job = get_object_or_404(LabelJob, pk=pk)
    return Act(
        lambda: jobs.cancel(job, actor=request.user),
        done="It ends after the batch at hand.",
        back=reverse("console:label_job", args=[pk]),
    )


@never_cache
@require_POST
def download(request: AuthenticatedHttpRequest, pk: UUID) -> HttpResponseBase:
    """Hand out the file of a finished export, always as a download: what is in it was written by strangers."""
    job = get_object_or_404(LabelJob, pk=pk)
    try:
        path = jobs.open_export(job, actor=request.user)
    except EcomsiteError as exc:
        messages.error(request, str(exc))
        return redirect("console:label_job", pk=pk)
    answer = FileResponse(
        path.open("rb"), as_attachment=True, filename=job.file_name, content_type="application/octet-stream"
    )
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _job(request: AuthenticatedHttpRequest, pk: UUID) -> LabelJob:
    job = get_object_or_404(LabelJob.objects.select_related("requested_by", "run"), pk=pk)
    jobs.require_part(job, request.user)
    return job


def _context(job: LabelJob) -> dict[str, Any]:
    is_there = job.status == LabelJob.Status.COMPLETED and job.files_deleted_at is None
    return {"job": job, "is_open": job.status in jobs.OPEN, "has_file": job.kind == "export" and is_there}


def _pairs(text: str) -> dict[str, str]:
    """Return what lines of `NAME=VALUE` say. Raises `PermanentError` for one that is none."""
    pairs = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, found, value = line.partition("=")
        if not found or not name.strip() or not value.strip():
            raise PermanentError(f"“{line[:80]}” is no NAME=VALUE.", hint="One a line: label=stars.")
        pairs[name.strip()] = value.strip()
    return pairs
