"""The auditor's pages: twenty questions with their answers, and the evidence pack of a product to take along."""

from __future__ import annotations

import io
import zipfile
from argparse import ArgumentTypeError
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from catalog.models import PublishedCopy
from core.actors import AuthenticatedHttpRequest
from core.exceptions import EcomsiteError
from ecomsite.console.pages import page
from monitoring.auditor.asking import Asked, moment
from monitoring.auditor.questions import QUESTIONS, ask, question, require_auditor
from monitoring.evidence import pack

# Field → how the form asks for it, and an example.
FIELDS: dict[str, tuple[str, str]] = {
    "sku": ("product (sku)", "HOME-001"),
    "at": ("as of", "2026-11-01"),
    "since": ("from", "2026-11-01"),
    "until": ("to", "2026-11-30"),
    "person": ("person", "user:5"),
    "seconds": ("less than … seconds", "10"),
    "model": ("model", "sentiment:2"),
    "code": ("claim", "price"),
}
WHEN = ("at", "since", "until")


@require_safe
def questions(request: AuthenticatedHttpRequest) -> HttpResponse:
    """List the questions."""
    require_auditor(request.user)
    return page(request, "console/auditor.html", {"title": "Auditor's questions", "questions": QUESTIONS})


@require_safe
def answer(request: AuthenticatedHttpRequest, number: int) -> HttpResponse:
    """Show the form of a question; once what it needs is given, the answer."""
    require_auditor(request.user)
    try:
        asked_for = question(number)
    except EcomsiteError as exc:
        raise Http404(exc.message) from exc
    given = {name: request.GET.get(name, "").strip() for name in asked_for.options}
    found = None
    if "ask" in request.GET or not asked_for.needs:
        try:
            with transaction.atomic():
                found = ask(number, _asked(given), actor=request.user)
        except EcomsiteError as exc:
            messages.error(request, str(exc))
        except (ArgumentTypeError, ValueError) as exc:
            messages.error(request, f"That cannot be read: {exc}.")
    fields = [(name, *FIELDS[name], given[name], name in asked_for.needs) for name in asked_for.options]
    context = {
        "title": f"{number}. {asked_for.words}",
        "question": asked_for,
        "fields": fields,
        "answer": found,
        "command": _command(number, given),
    }
    return page(request, "console/answer.html", context)


def _asked(given: dict[str, str]) -> Asked:
    values: dict[str, Any] = {name: value for name, value in given.items() if value}
    values |= {name: moment(values[name]) for name in WHEN if name in values}
    if "seconds" in values:
        values["seconds"] = float(values["seconds"])
    return Asked(**values)


def _command(number: int, given: dict[str, str]) -> str:
    """The same question on the command line."""
    options = " ".join(f"--{name} {value}" for name, value in given.items() if value)
    return f"manage.py auditor {number} {options}".strip()


@require_POST
def evidence(request: AuthenticatedHttpRequest, pk: Any) -> HttpResponse:
    """Send the evidence pack of the product that a published text is about, as a zip file."""
    copy = get_object_or_404(PublishedCopy.objects.select_related("product"), pk=pk)
    try:
        at = moment(request.POST["at"]) if request.POST.get("at") else None
        with transaction.atomic():
            made = pack.collect(copy.product.sku, at=at, actor=request.user)
    except (EcomsiteError, ArgumentTypeError) as exc:
        messages.error(request, str(exc))
        return redirect("console:copy", pk=pk)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in made.files().items():
            archive.writestr(zipfile.ZipInfo(name), text)  # no time of now: the same pack is the same file
    response = HttpResponse(stream.getvalue(), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="evidence-{made.hash[:12]}.zip"'
    return response
