"""Every question that people are asked, each version of the declared ones, and a preview of a file."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.http import Http404, HttpResponse, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from core.actors import AuthenticatedHttpRequest, require_permission
from core.exceptions import EcomsiteError
from ecomsite.console.pages import Act, action, page
from labeling.models import Label
from labeling.question import Question, all_questions, is_known, question
from questions import versions
from questions.declared.question import DeclaredQuestion
from questions.declared.schema import LARGEST_FILE, parse_declaration
from questions.models import QuestionVersion

# A field of the form for each answer before: what it becomes, or that people answer anew.
BECOMES, ASK_AGAIN = "becomes.", "*"


@require_http_methods(["GET", "POST"])
def overview(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Show the questions and their versions; of a posted text, what it declares or what is wrong with it.

    Nothing is kept.
    """
    require_permission(request.user, "questions.view_questionversion")
    counts = dict(Label.objects.values_list("question").annotate(n=Count("pk")))
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


@require_safe
def change(request: AuthenticatedHttpRequest, name: str) -> HttpResponse:
    """Show what loading the file of a declared question would change; keep nothing."""
    require_permission(request.user, "questions.view_questionversion")
    asked, (renamed, asked_again) = _declared(name), _becomes(request.GET)
    last = versions.latest(name)
    before = last.content["choices"] if last else []
    context: dict[str, Any] = {
        "title": f"{asked.title} · load its file",
        "asked": asked,
        "before": [
            {**one, "is_gone": one["value"] not in asked.labels, "becomes": request.GET.get(f"{BECOMES}{one['value']}")}
            for one in before
        ],
        "ask_again": ASK_AGAIN,
        "may_load": request.user.has_perm("questions.load_question"),
        "query": request.GET,
    }
    try:
        context["found"] = versions.change(asked.declaration, renamed=renamed, asked_again=asked_again)
    except EcomsiteError as exc:
        context["mistakes"] = [part for part in (exc.message, exc.hint) if part]
    return page(request, "console/question_change.html", context)


@action
def load(request: AuthenticatedHttpRequest, name: str) -> Act[tuple[QuestionVersion, versions.Change]]:
    """Keep the file of a declared question as a version; labels follow what is said of their answers."""
    asked, (renamed, asked_again) = _declared(name), _becomes(request.POST)
    return Act(
        lambda: versions.load(asked.declaration, renamed=renamed, asked_again=asked_again, actor=request.user),
        lambda kept: (
            f"Kept as version {kept[0].number}." if kept[1].is_new else f"It is version {kept[0].number} already."
        ),
        back=reverse("console:question_change", args=[name]),
        on=lambda _: reverse("console:questions"),
    )


def _declared(name: str) -> DeclaredQuestion:
    asked = question(name) if is_known(name) else None
    if not isinstance(asked, DeclaredQuestion):
        raise Http404
    return asked


def _becomes(form: QueryDict) -> tuple[dict[str, str], list[str]]:
    """Return what a form says of answers before: which are renamed to what, and which are asked again."""
    said = {key.removeprefix(BECOMES): str(value) for key, value in form.items() if key.startswith(BECOMES) and value}
    return {old: new for old, new in said.items() if new != ASK_AGAIN}, [
        o for o, new in said.items() if new == ASK_AGAIN
    ]


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
        tried = DeclaredQuestion(parse_declaration(text, name="this text"))
        return {"text": text, "tried": tried, "tried_by_models": tried.is_readable}
    except EcomsiteError as exc:
        return {"text": text, "mistakes": [part for part in (exc.message, exc.hint) if part]}
