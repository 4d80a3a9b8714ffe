"""Every question that people are asked, each version of the declared ones, and a preview of a file."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from core.actors import AuthenticatedHttpRequest, require_permission
from core.exceptions import EcomsiteError
from ecomsite.console.pages import page
from labeling.models import Label
from labeling.question import Question, all_questions
from questions import versions
from questions.declared.question import DeclaredQuestion
from questions.declared.schema import LARGEST_FILE, parse_declaration
from questions.models import QuestionVersion


@require_http_methods(["GET", "POST"])
def overview(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Show the questions and their versions; of a posted text, what it declares or what is wrong with it.

    Nothing is kept.
    """
    require_permission(request.user, "questions.view_questionversion")
    counts = dict(Label.objects.values_list("kind").annotate(n=Count("pk")))
    loaded: dict[str, list[QuestionVersion]] = {}
    for version in QuestionVersion.objects.select_related("loaded_by"):
        loaded.setdefault(version.name, []).append(version)
    context: dict[str, Any] = {
        "title": "Questions",
        "rows": [_row(one, counts.get(one.name, 0), loaded.get(one.name, [])) for one in all_questions()],
        "largest": LARGEST_FILE,
    }
    if request.method == "POST":
        context |= _tried(request.POST.get("text", ""))
    return page(request, "console/questions.html", context)


def _row(one: Question, n_labels: int, loaded: list[QuestionVersion]) -> dict[str, Any]:
    declared = one.declaration if isinstance(one, DeclaredQuestion) else None
    waits = declared is not None and (not loaded or loaded[0].content != versions.content_of(declared))
    return {
        "question": one,
        "n_labels": n_labels,
        "versions": loaded,
        "is_declared": declared is not None,
        "waits": waits,
    }


def _tried(text: str) -> dict[str, Any]:
    try:
        return {"text": text, "tried": DeclaredQuestion(parse_declaration(text, name="this text"))}
    except EcomsiteError as exc:
        return {"text": text, "mistakes": [part for part in (exc.message, exc.hint) if part]}
