"""Asking for copy, and watching the drafts of one order appear."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from catalog.admin import SELECTED_PRODUCTS
from catalog.models import CONTROL, Channel, Locale, Product
from core.actors import AuthenticatedHttpRequest, require_permission
from core.exceptions import EcomsiteError
from ecomsite.console.pages import Act, action, page
from inference import resolver
from inference.models import Role
from moderation.drafting import ordering
from moderation.drafting.place_in_line import place_of
from moderation.drafting.requests import cancel_request, retry_request
from moderation.models.candidates import GenerationRequest
from moderation.models.reviews import COPY_VERDICT
from moderation.queues import back_pressure
from moderation.queues.rules import policy_for
from monitoring.waiting import why_order_waits

MAX_NAMED = 8


class RequestCopyForm(forms.Form):
    """For which products, where it will be shown, in which languages, how many drafts."""

    skus = forms.CharField(
        label="Products",
        help_text="One SKU per line.",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "placeholder": "MUG-001\nMUG-002"}),
    )
    channels = forms.MultipleChoiceField(
        choices=Channel.choices, initial=[Channel.DESCRIPTION], widget=forms.CheckboxSelectMultiple
    )
    locales = forms.MultipleChoiceField(
        label="Languages", choices=Locale.choices, initial=[Locale.EN], widget=forms.CheckboxSelectMultiple
    )
    n_candidates = forms.IntegerField(
        label="Drafts of each",
        min_value=1,
        max_value=ordering.MAX_DRAFTS,
        help_text="A person sees the best one first; the others stand by.",
    )
    audience = forms.CharField(required=False, max_length=40, help_text="Whom the text is for. Empty: everybody.")
    variant = forms.CharField(
        required=False,
        max_length=40,
        initial=CONTROL,
        help_text=f"What shoppers see is “{CONTROL}”. Another is live beside it, until your shop chooses it.",
    )

    def clean_skus(self) -> list[Product]:
        """Return the products named; unknown ones are listed in the error."""
        skus = list(dict.fromkeys(line.strip() for line in self.cleaned_data["skus"].splitlines() if line.strip()))
        found = {product.sku: product for product in Product.objects.filter(sku__in=skus)}
        if unknown := [sku for sku in skus if sku not in found]:
            more = f" and {len(unknown) - MAX_NAMED} more" if len(unknown) > MAX_NAMED else ""
            raise forms.ValidationError(f"No such product: {', '.join(unknown[:MAX_NAMED])}{more}.")
        return [found[sku] for sku in skus]


@require_http_methods(["GET", "POST"])
def request_copy(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Ask for copy about chosen products."""
    require_permission(request.user, "moderation.request_copy")
    form = RequestCopyForm(request.POST) if request.method == "POST" else RequestCopyForm(initial=_initial(request))
    if form.is_valid():
        try:
            summary = ordering.request_copy(
                form.cleaned_data["skus"],
                channels=form.cleaned_data["channels"],
                locales=form.cleaned_data["locales"],
                n_candidates=form.cleaned_data["n_candidates"],
                audience=form.cleaned_data["audience"],
                variant=form.cleaned_data["variant"] or CONTROL,
                actor=request.user,
                is_awaited=True,
            )
        except EcomsiteError as exc:
            form.add_error(None, forms.ValidationError([exc.message, exc.hint] if exc.hint else [exc.message]))
        else:
            request.session.pop(SELECTED_PRODUCTS, None)
            messages.success(request, _in_words(summary))
            if len(orders := [*summary.created, *summary.existing]) == 1:
                return redirect("console:request", pk=orders[0].pk)
            return redirect("admin:moderation_generationrequest_changelist")
    context = {
        "title": "Request copy",
        "form": form,
        "writer": resolver.find(Role.COPYWRITER),
        "paused": back_pressure.pause_in_words(policy_for(COPY_VERDICT)),
    }
    return page(request, "console/request_copy.html", context, status=422 if form.errors else 200)


def _initial(request: AuthenticatedHttpRequest) -> dict[str, Any]:
    selected = Product.objects.filter(pk__in=request.session.get(SELECTED_PRODUCTS, ())).order_by("sku")
    return {
        "skus": "\n".join(selected.values_list("sku", flat=True)),
        "n_candidates": settings.MODERATION.drafts_per_request,
        "variant": CONTROL,
    }


def _in_words(summary: ordering.RequestSummary) -> str:
    made, there = len(summary.created), len(summary.existing)
    words = f"{made} request{'' if made == 1 else 's'} on order." if made else "Nothing new to order."
    if there:
        words += (
            f" {there} had been asked for already with the same facts; “Request again” on a candidate orders "
            "fresh drafts."
        )
    return words


def _context(request: AuthenticatedHttpRequest, pk: UUID) -> dict[str, Any]:
    require_permission(request.user, "moderation.view_generationrequest")
    order = get_object_or_404(GenerationRequest.objects.select_related("product", "requested_by"), pk=pk)
    Status = GenerationRequest.Status
    may_request = request.user.has_perm("moderation.request_copy")
    return {
        "title": f"{order.product.title} · {order.get_channel_display()} · {order.get_locale_display()}",
        "order": order,
        "candidates": order.candidates.prefetch_related("findings").order_by("rank", "ordinal"),
        "missing": why_order_waits(order),
        "place": place_of(order),
        "is_running": order.status in (Status.QUEUED, Status.GENERATING),
        "may_cancel": may_request and order.status == Status.QUEUED,
        "may_retry": may_request and order.status == Status.FAILED,
    }


@require_safe
def show(request: AuthenticatedHttpRequest, pk: UUID) -> HttpResponse:
    """Show an order and its drafts, as they appear."""
    return page(request, "console/request.html", _context(request, pk))


@require_safe
def drafts_fragment(request: AuthenticatedHttpRequest, pk: UUID) -> HttpResponse:
    """The drafts alone, for the page that watches them."""
    return render(request, "console/_drafts.html", _context(request, pk))


@action
def cancel(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """Cancel an order that nobody has started on."""
    order = get_object_or_404(GenerationRequest, pk=pk)
    return Act(
        lambda: cancel_request(order, actor=request.user),
        done="Cancelled.",
        back=reverse("console:request", args=[pk]),
    )


@action
def retry(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """Queue a failed order again."""
    order = get_object_or_404(GenerationRequest, pk=pk)
    return Act(
        lambda: retry_request(order, actor=request.user),
        done="Queued again.",
        back=reverse("console:request", args=[pk]),
    )
