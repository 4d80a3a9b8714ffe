"""The facts of a product with the proofs attached to them: adding a proof, looking at it, withdrawing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalog.evidence import attach_evidence, read_evidence, withdraw_evidence
from catalog.models import FactEvidence, Product, ProductFact
from core.actors import AuthenticatedHttpRequest, require_permission
from core.exceptions import PermanentError
from ecomsite.console.fields import whole_number
from ecomsite.console.pages import Act, action, page

ENDINGS = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}


@dataclass(frozen=True)
class Proven:
    """A fact with the proofs of what it says now."""

    fact: ProductFact
    proofs: list[FactEvidence]


@require_safe
def facts(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Show every fact of a product with its proofs; proofs of what no fact says any more stand below."""
    require_permission(request.user, "catalog.view_factevidence")
    product = get_object_or_404(Product, pk=pk)
    proofs = list(product.evidence.select_related("added_by"))
    shown = [
        Proven(
            fact, [p for p in proofs if (p.fact_name, p.fact_value) == (fact.name, fact.value) and not p.withdrawn_at]
        )
        for fact in product.facts.all()
    ]
    counted = {proof.pk for item in shown for proof in item.proofs}
    context: dict[str, Any] = {
        "title": f"Facts and proofs · {product.title}",
        "product": product,
        "facts": shown,
        "idle": [proof for proof in proofs if proof.pk not in counted],
        "may_change": request.user.has_perm("catalog.change_productfact"),
        "most_mib": settings.FACT_EVIDENCE.max_bytes // 1024 // 1024,
    }
    return page(request, "console/facts.html", context)


@action
def attach(request: AuthenticatedHttpRequest, pk: int) -> Act[object]:
    """Attach the file of the form to a fact."""
    product = get_object_or_404(Product, pk=pk)
    return Act(
        lambda: _attach(request, product),
        done="The proof is attached: texts screened from now on see it.",
        back=reverse("console:facts", args=[pk]),
    )


def _attach(request: AuthenticatedHttpRequest, product: Product) -> FactEvidence:
    require_permission(request.user, "catalog.change_productfact")
    file = request.FILES.get("file")
    if file is None or not request.POST.get("fact"):
        raise PermanentError("Choose a fact and a file.")
    # One byte more than may be is enough to see that it is too much.
    content = file.read(settings.FACT_EVIDENCE.max_bytes + 1)
    return attach_evidence(
        product,
        fact_id=whole_number(request.POST["fact"]),
        content=content,
        file_name=file.name or "",
        note=request.POST.get("note", ""),
        actor=request.user,
    )


@action
def withdraw(request: AuthenticatedHttpRequest, pk: int) -> Act[object]:
    """Let a proof count no more."""
    found = get_object_or_404(FactEvidence.objects.select_related("product"), pk=pk)
    reason = request.POST.get("reason", "")
    return Act(
        lambda: withdraw_evidence(found, actor=request.user, reason=reason),
        done="The proof counts no more; it stays on record.",
        back=reverse("console:facts", args=[found.product_id]),
    )


@never_cache
@require_safe
def proof(request: AuthenticatedHttpRequest, pk: int) -> HttpResponse:
    """Hand out the file of a proof, as a download under a name of ours: it was written by strangers."""
    require_permission(request.user, "catalog.view_factevidence")
    found = get_object_or_404(FactEvidence, pk=pk)
    try:
        content = read_evidence(found)
    except PermanentError as exc:
        return HttpResponse(str(exc), status=409, content_type="text/plain; charset=utf-8")
    answer = HttpResponse(content, content_type=found.content_type)
    answer["Content-Disposition"] = f'attachment; filename="proof-{found.pk}.{ENDINGS[found.content_type]}"'
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
