"""The HTTP API's part about customer reviews: those a shop may show, and those that a decision hides."""

from __future__ import annotations

from typing import Any, TypeVar

from django.core.exceptions import BadRequest
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from catalog import selectors
from catalog.models import CustomerReview, HiddenReview, Product
from core.refs import pk_of
from ecomsite.api import error, signed_in, uuid_in
from moderation.decisions.statements import document
from moderation.models.reviews import Decision

MOST = 100
Row = TypeVar("Row", bound=Model)


@signed_in("catalog.view_customerreview")
@require_safe
def shown(request: HttpRequest) -> HttpResponse:
    """GET /api/v1/reviews?sku=&after= — the customer reviews of a product that may be shown, the latest first."""
    product = Product.objects.filter(sku=request.GET.get("sku", "")).first()
    if product is None:
        return error(404, "There is no such product.", reason="unknown_sku", hint="Name it: ?sku=SKU.")
    rows, after = _page(selectors.shown_reviews().filter(product=product), "created_at", request.GET.get("after"))
    return JsonResponse({"reviews": [_shown(row) for row in rows], "after": after})


@signed_in("catalog.view_hiddenreview")
@require_safe
def hidden(request: HttpRequest) -> HttpResponse:
    """GET /api/v1/reviews/hidden?after= — what is hidden now, the latest first,
    each with the number of its statement.
    """
    rows, after = _page(selectors.hidden_reviews(), "hidden_at", request.GET.get("after"))
    return JsonResponse({"hidden": [_hidden(row) for row in rows], "after": after})


def _page(rows: QuerySet[Row], time: str, after: str | None) -> tuple[list[Row], str | None]:
    """Return up to `MOST` of `rows`, the latest by `time` first, and what to ask for to get those after them."""
    rows = rows.order_by(f"-{time}", "pk")
    if after:
        last = rows.model._default_manager.filter(pk=uuid_in(after)).first()
        if last is None:
            raise BadRequest("There is nothing of that id to go on after.")
        at = getattr(last, time)
        rows = rows.filter(Q(**{f"{time}__lt": at}) | Q(**{time: at}, pk__gt=last.pk))
    found = list(rows[: MOST + 1])
    return found[:MOST], str(found[MOST - 1].pk) if len(found) > MOST else None


def _shown(row: CustomerReview) -> dict[str, Any]:
    return {
        "external_id": row.external_id,
        "locale": row.locale,
        "title": row.title,
        "text": row.text,
        "rating": None if row.rating is None else float(row.rating),
        "written_at": row.written_at,
    }


def _hidden(row: HiddenReview) -> dict[str, Any]:
    return {
        "external_id": row.review.external_id,
        "sku": row.review.product.sku if row.review.product else "",
        "reasons": row.reasons,
        "hidden_at": row.hidden_at,
        "statement": document.PREFIX + pk_of(row.decision_ref, Decision),
    }
