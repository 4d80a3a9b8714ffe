"""What a customer wrote about a product, as something to ask about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.urls import reverse

from catalog.models import CustomerReview
from core.bulk import in_array
from core.refs import keys_of, ref_to
from labeling.subject import Subject
from moderation import markup


class ReviewSubject(Subject):
    """A customer review."""

    name = "review"
    noun = "reviews"
    icon = "reviews"
    model = CustomerReview
    joined = ("product",)
    key = "external_id"
    is_scored_as_it_comes = True
    fields = {
        "external_id": "text",
        "sku": "text",
        "locale": "text",
        "rating": "number",
        "title": "text",
        "text": "text",
    }

    def words(self, row: CustomerReview) -> str:
        return row.text

    def text(self, row: CustomerReview) -> str:
        return row.full_text

    def shows(self, row: CustomerReview) -> str:
        product = row.product.title if row.product else ""
        rating = None if row.rating is None else float(row.rating)
        return markup.review_html(row.title, row.text, product, rating, row.locale)

    def address(self, row: CustomerReview) -> str:
        return reverse("admin:catalog_customerreview_change", args=[row.pk])

    def edited(self, items: QuerySet[Any]) -> QuerySet[Any]:
        shown = items.filter(customer_review__edited_at__isnull=False)
        shown = shown.alias(shown=KeyTextTransform("text", "labeling_task__payload"))
        # An import may commit other words while a task is made of those before: times alone would not tell.
        edited_since = Q(customer_review__edited_at__gt=F("labeling_task__created_at"))
        differs = Q(shown__isnull=False) & ~Q(shown=F("customer_review__text"))
        stale: QuerySet[Any] = shown.filter(edited_since | differs)
        return stale.order_by("customer_review__edited_at")

    def values_of(self, references: Sequence[str]) -> dict[str, dict[str, Any]]:
        # Plain values: a million rows as objects take three times as long.
        columns = ("external_id", "product__sku", "locale", "rating", "title", "text")
        keys = in_array(keys_of(references, CustomerReview), "uuid")
        rows = CustomerReview.objects.filter(pk__in=keys).values_list("pk", *columns)
        found = {}
        for pk, external_id, sku, locale, rating, title, text in rows:
            found[ref_to(CustomerReview, pk)] = {
                "external_id": external_id,
                "sku": sku or "",
                "locale": locale,
                "rating": None if rating is None else float(rating),
                "title": title,
                "text": text,
            }
        return found
