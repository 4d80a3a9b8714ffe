"""The HTTP API's part about decisions: the second person's word, and appeals, which is where a merchant comes in."""

from __future__ import annotations

import json
from typing import Any, TypeVar
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST, require_safe
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.actors import AuthenticatedHttpRequest
from core.exceptions import StaleState
from ecomsite.api import MAX_BODY, error, signed_in, uuid_in
from moderation.decisions import appeals, confirmations
from moderation.decisions.statements import document
from moderation.models.appeals import Appeal
from moderation.models.reviews import Decision, ReviewItem


class Confirmation(BaseModel):
    """Body of POST /api/v1/items/{id}/confirm; `proposal` is the answer that was seen."""

    model_config = ConfigDict(extra="forbid")

    proposal: int
    note: str = Field(default="", max_length=confirmations.LONGEST_NOTE)


class Return(BaseModel):
    """Body of POST /api/v1/items/{id}/return."""

    model_config = ConfigDict(extra="forbid")

    proposal: int
    reason: str = Field(min_length=1, max_length=confirmations.LONGEST_NOTE)


class AppealFiled(BaseModel):
    """Body of POST /api/v1/appeals; `statement` is the number of the statement of reasons."""

    model_config = ConfigDict(extra="forbid")

    statement: str = Field(max_length=100)
    reason: str = Field(min_length=1, max_length=appeals.LONGEST)


Body = TypeVar("Body", bound=BaseModel)


def _read(request: HttpRequest, schema: type[Body]) -> Body | JsonResponse:
    if len(request.body) > MAX_BODY:
        return error(413, "The body is too large.")
    try:
        return schema.model_validate_json(request.body)
    except ValidationError as exc:
        problems = json.loads(exc.json(include_url=False, include_input=False))
        return error(422, "The body is not as it should be.", problems=problems)


@signed_in("moderation.check_decision")
@require_POST
def confirm(request: AuthenticatedHttpRequest, pk: str) -> HttpResponse:
    """POST /api/v1/items/{id}/confirm — the second person lets out what another one answered."""
    body = _read(request, Confirmation)
    if isinstance(body, JsonResponse):
        return body
    try:
        decision = confirmations.confirm(
            get_object_or_404(ReviewItem, pk=uuid_in(pk)), proposal=body.proposal, actor=request.user, note=body.note
        )
    except StaleState as exc:
        return error(409, exc.message, hint=exc.hint)
    return JsonResponse({"decision": str(decision.pk), "outcome": decision.outcome}, status=201)


@signed_in("moderation.check_decision")
@require_POST
def return_(request: AuthenticatedHttpRequest, pk: str) -> HttpResponse:
    """POST /api/v1/items/{id}/return — the second person gives it back, with a reason."""
    body = _read(request, Return)
    if isinstance(body, JsonResponse):
        return body
    item = get_object_or_404(ReviewItem, pk=uuid_in(pk))
    try:
        confirmations.return_(item, proposal=body.proposal, actor=request.user, reason=body.reason)
    except StaleState as exc:
        return error(409, exc.message, hint=exc.hint)
    item.refresh_from_db()
    return JsonResponse({"item": str(item.pk), "status": item.status})


@signed_in("moderation.appeal_decision")
@require_POST
def appeal(request: AuthenticatedHttpRequest) -> HttpResponse:
    """POST /api/v1/appeals — appeal against a rejection or a taking down, once, by the number of its statement."""
    body = _read(request, AppealFiled)
    if isinstance(body, JsonResponse):
        return body
    try:
        decision = Decision.objects.get(pk=UUID(body.statement.removeprefix(document.PREFIX)))
    except (ValueError, Decision.DoesNotExist):
        return error(404, "There is no such statement.", hint="Its number begins with “ecomsite-”.")
    filed = appeals.appeal(decision, actor=request.user, reason=body.reason)
    return JsonResponse(_shown(filed), status=201)


@signed_in("moderation.appeal_decision")
@require_safe
def show_appeal(request: AuthenticatedHttpRequest, pk: str) -> HttpResponse:
    """GET /api/v1/appeals/{id} — what became of an appeal; of one's own, or with moderation.view_appeal of any."""
    filed = get_object_or_404(Appeal, pk=uuid_in(pk))
    if filed.appellant_id != request.user.pk and not request.user.has_perm("moderation.view_appeal"):
        raise Http404
    return JsonResponse(_shown(filed))


def _shown(filed: Appeal) -> dict[str, Any]:
    """Return an appeal without anybody's name."""
    return {
        "id": str(filed.pk),
        "statement": document.PREFIX + str(filed.decision_id),
        "status": filed.status,
        "created_at": filed.created_at,
        "decided_at": filed.decided_at,
        "answer": filed.answer,
    }
