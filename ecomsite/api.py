"""The HTTP API, version 1: live copy for the shop, orders for copy, sentiment of customer reviews. JSON both ways."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth import authenticate
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from accounts import factors
from accounts.backends import lock_on
from accounts.throttle import Locked
from catalog import selectors
from catalog.models import CONTROL, Channel, CustomerReview, Locale, Product
from core.actors import AuthenticatedHttpRequest
from core.exceptions import EcomsiteError
from moderation.drafting import ordering
from moderation.models.candidates import GenerationRequest
from moderation.models.predictions import Prediction
from moderation.models.reviews import COPY_VERDICT, SENTIMENT
from moderation.queues import back_pressure
from moderation.queues.blindness import readable
from moderation.queues.rules import policy_for
from monitoring.waiting import why_order_waits

View = Callable[..., HttpResponse]
MAX_BODY = 1_000_000
SECOND_FACTOR = (
    "It has a second factor, or its role asks for one: use the console's session, or an account for machines."
)


class CopyRequest(BaseModel):
    """Body of POST /api/v1/requests."""

    model_config = ConfigDict(extra="forbid")

    skus: list[str] = Field(min_length=1, max_length=1000)
    channels: list[str] = Field(default=[Channel.DESCRIPTION.value], min_length=1, max_length=10)
    locales: list[str] = Field(default=[Locale.EN.value], min_length=1, max_length=10)
    n_candidates: int | None = Field(default=None, ge=1, le=ordering.MAX_DRAFTS)
    round: int = Field(default=1, ge=1, le=1000)
    audience: str = Field(default="", max_length=40)
    variant: str = Field(default=CONTROL, max_length=40)


def error(status: int, message: str, *, hint: str = "", **more: Any) -> JsonResponse:
    """Return an error in the one shape that the API has: `error` says what, `hint` what to do."""
    return JsonResponse({"error": message, **({"hint": hint} if hint else {}), **more}, status=status)


def signed_in(permission: str) -> Callable[[View], View]:
    """Let in who holds `permission`: by HTTP Basic, or by the console's session (then with its CSRF token)."""

    def decorate(view: View) -> View:
        @csrf_exempt  # checked below, for sessions; a password in the header cannot be sent by somebody else's page
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if "Authorization" in request.headers:
                user = _basic_user(request)
                if lock := lock_on(request):
                    return _locked(lock)
                if user is None:
                    return _unauthorised("The e-mail or the password is wrong.")
                if factors.needs_more_than_password(user):
                    return error(403, "A password alone does not let this account in.", hint=SECOND_FACTOR)
                request.user = user
            elif not request.user.is_authenticated:
                return _unauthorised("Who are you? Send HTTP Basic credentials, or sign in to the console.")
            elif (refusal := _check_csrf(request, view)) is not None:
                return refusal
            if not request.user.has_perm(permission):
                return error(403, f"This needs the permission {permission}.", hint="An administrator can give a role.")
            try:
                return view(request, *args, **kwargs)
            except BadRequest as exc:
                return error(400, str(exc))
            except PermissionDenied as exc:
                return error(403, str(exc))
            except EcomsiteError as exc:
                return error(422, exc.message, hint=exc.hint)

        return wrapper

    return decorate


def uuid_in(raw: str) -> UUID:
    """Return the key in an address. Raises `BadRequest` when it is none: 404 would say that it could have been one."""
    try:
        return UUID(raw)
    except ValueError:
        raise BadRequest("The id in the address is no UUID.") from None


def _basic_user(request: HttpRequest) -> Any:
    scheme, _, value = request.headers["Authorization"].partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return authenticate(request, username=username, password=password)


def _locked(lock: Locked) -> JsonResponse:
    response = error(429, lock.message, hint=lock.hint)
    response["Retry-After"] = str(lock.seconds)
    return response


def _unauthorised(message: str) -> JsonResponse:
    response = error(401, message)
    response["WWW-Authenticate"] = 'Basic realm="ecomsite", charset="UTF-8"'
    return response


def _check_csrf(request: HttpRequest, view: View) -> HttpResponse | None:
    enforced = "_dont_enforce_csrf_checks"
    setattr(request, enforced, getattr(request, enforced, False))
    middleware = CsrfViewMiddleware(lambda _: HttpResponse())
    middleware.process_request(request)
    refused = middleware.process_view(request, lambda _: HttpResponse(), (), {})
    return None if refused is None else error(403, "The CSRF token is missing or wrong.", hint="Send X-CSRFToken.")


@signed_in("moderation.request_copy")
@require_POST
def request_copy(request: AuthenticatedHttpRequest) -> HttpResponse:
    """POST /api/v1/requests — order copy; the same order twice makes nothing new.

    Answers 201, or 200 if nothing was new.
    """
    if len(request.body) > MAX_BODY:
        return error(413, "The body is too large.")
    try:
        order = CopyRequest.model_validate_json(request.body)
    except ValidationError as exc:
        return error(
            422, "The body is not a valid order.", problems=json.loads(exc.json(include_url=False, include_input=False))
        )
    products = {product.sku: product for product in Product.objects.filter(sku__in=order.skus)}
    if unknown := [sku for sku in order.skus if sku not in products]:
        return error(422, "Some products do not exist; nothing was ordered.", unknown_skus=unknown)
    summary = ordering.request_copy(
        products.values(),
        channels=order.channels,
        locales=order.locales,
        n_candidates=order.n_candidates,
        round=order.round,
        audience=order.audience,
        variant=order.variant,
        actor=request.user,
    )
    body: dict[str, Any] = {
        "created": [str(made.pk) for made in summary.created],
        "existing": [str(there.pk) for there in summary.existing],
    }
    paused = back_pressure.pause_in_words(policy_for(COPY_VERDICT))
    return JsonResponse(body | ({"notice": paused} if paused else {}), status=201 if summary.created else 200)


@signed_in("moderation.view_generationrequest")
@require_safe
def show_request(request: HttpRequest, pk: str) -> HttpResponse:
    """GET /api/v1/requests/{id} — how far an order has come, and its drafts by state (no texts:
    those are not approved).
    """
    order = GenerationRequest.objects.select_related("product").filter(pk=uuid_in(pk)).first()
    if order is None:
        return error(404, "There is no such request.")
    return JsonResponse(
        {
            "id": str(order.pk),
            "sku": order.product.sku,
            "channel": order.channel,
            "locale": order.locale,
            "audience": order.audience,
            "variant": order.variant,
            "status": order.status,
            "round": order.round,
            "n_candidates": order.n_candidates,
            "prompt_version": order.prompt_version,
            "created_at": order.created_at,
            "finished_at": order.finished_at,
            "error": order.last_error,
            "waits_because": [part.words for part in why_order_waits(order)],
            "candidates": [
                {"id": str(c.pk), "status": c.status, "rank": c.rank, "grounding": c.grounding}
                for c in order.candidates.order_by("rank", "ordinal")
            ],
        }
    )


@signed_in("moderation.view_prediction")
@require_safe
def review_sentiment(request: AuthenticatedHttpRequest, external_id: str) -> HttpResponse:
    """GET /api/v1/reviews/{external_id}/sentiment — what stands of the model, and a person's label if there is one."""
    review = CustomerReview.objects.filter(external_id=external_id).first()
    if review is None:
        return error(404, "There is no such review.", reason="unknown_review")
    if not selectors.shown_reviews().filter(pk=review.pk).exists():
        return error(404, "This review is hidden by a decision.", reason="hidden", hint="See /api/v1/reviews/hidden.")
    said = Prediction.objects.of(SENTIMENT, [review]).standing()
    score = readable(said, reader=request.user).select_related("model_version").first()
    item = review.review_items.filter(question=SENTIMENT, lead=None).first()
    decision = item.decisions.filter(superseded_by=None).first() if item else None
    if score is None and decision is None and said.exists():
        hint = "It is shown when people have answered."
        return error(403, "You may be asked this, and without the model's word.", reason="blind", hint=hint)
    if score is None and decision is None:
        return error(404, "This review has not been scored yet.", reason="not_scored")
    return JsonResponse(
        {
            "external_id": review.external_id,
            "label": decision.label if decision else score.label if score else None,
            "human_reviewed": decision is not None,
            "model": score
            and {
                "label": score.label,
                "confidence": score.confidence,
                "probabilities": score.probabilities,
                "name": score.model_version.name,
                "version": score.model_version.number,
            },
        }
    )


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """GET /api/v1/ — what there is."""
    return JsonResponse(
        {
            "name": "ecomsite API",
            "version": 1,
            "authentication": "HTTP Basic with a console account, or the console's session and X-CSRFToken; "
            "live copy is open to all",
            "channels": Channel.values,
            "locales": Locale.values,
            "endpoints": {
                "GET /api/v1/copy/{sku}?channel=&locale=&audience=&variant=&marked=": "live copy with provenance and "
                "AI "
                "mark, the variant control unless another is named; 404 with a reason; marked=1: also the text with "
                "its C2PA "
                "manifest",
                "GET /api/v1/feed?channel=&locale=&audience=&variant=&format=": "all live copy, marked, as jsonl or "
                "merchant "
                "(Google's XML)",
                "POST /api/v1/requests": {
                    "body": {
                        "skus": ["…"],
                        "channels": ["description"],
                        "locales": ["en"],
                        "n_candidates": 3,
                        "round": 1,
                        "audience": "",
                        "variant": "control",
                    },
                    "answers": {"created": ["request id"], "existing": ["request id"]},
                    "permission": "moderation.request_copy",
                },
                "GET /api/v1/requests/{id}": "how far an order has come",
                "GET /api/v1/reviews?sku=&after=": "customer reviews that may be shown; catalog.view_customerreview",
                "GET /api/v1/reviews/hidden?after=": "those that a decision hides, with their statements; "
                "catalog.view_hiddenreview",
                "GET /api/v1/reviews/{external_id}/sentiment": "sentiment of a customer review",
                "POST /api/v1/items/{id}/confirm": "the second person's word, {proposal, note}; "
                "moderation.check_decision",
                "POST /api/v1/items/{id}/return": "back with a reason, {proposal, reason}; moderation.check_decision",
                "POST /api/v1/appeals": "against a rejection, {statement, reason}; moderation.appeal_decision",
                "GET /api/v1/appeals/{id}": "what became of it",
                "GET /healthz": "the process is up",
                "GET /readyz": "every part in words; 503 while one is missing",
            },
        },
        json_dumps_params={"indent": 2, "ensure_ascii": False},
    )
