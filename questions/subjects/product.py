"""A product as its merchant describes it, as something to ask about: category, claims, what may be sold."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import MD5, Concat
from django.urls import reverse

from catalog.models import Product
from core.refs import ref_in_sql
from labeling.subject import Subject
from moderation import markup
from questions.addresses import absolute, picture_url


class ProductSubject(Subject):
    """A product: its title, the merchant's own description and its facts, in the language of its title."""

    name = "product"
    noun = "products"
    icon = "inventory_2"
    model = Product
    fetched = ("facts",)
    key = "sku"
    told_by = ("sku",)
    is_scored_as_it_comes = True
    product_column = "id"
    fields = {
        "sku": "text",
        "locale": "text",
        "title": "text",
        "brand": "text",
        "category": "text",
        "text": "text",
    }

    def words(self, row: Product) -> str:
        return f"{row.title}\n{row.description}".strip()

    def text(self, row: Product) -> str:
        """Return all that is said of it; whatever is too long for the model is lost from the description."""
        head = " · ".join(part for part in (row.title, row.brand, row.category) if part)
        facts = "; ".join(f"{name}: {value}" for name, value in self._facts(row))
        return "\n".join(part for part in (head, facts, row.description) if part)

    def shows(self, row: Product) -> str:
        return markup.product_card_html(
            title=row.title,
            brand=row.brand,
            category=row.category,
            description=row.description,
            locale=row.locale,
            image_url=picture_url(row),
            facts=self._facts(row),
            console_url=absolute(self.address(row)),
        )

    def edition(self, row: Product) -> str:
        return f"{row.facts_hash}:{hashlib.md5(row.description.encode(), usedforsecurity=False).hexdigest()}"

    def edited(self, items: QuerySet[Any]) -> QuerySet[Any]:
        now = Product.objects.alias(subject=ref_in_sql(Product, F("pk"))).filter(subject=OuterRef("about"))
        edition = now.values(edition=Concat("facts_hash", Value(":"), MD5("description"), output_field=TextField()))
        shown = items.alias(shown=KeyTextTransform("edition", "labeling_task__payload"), now=Subquery(edition))
        stale: QuerySet[Any] = shown.filter(shown__isnull=False, now__isnull=False).exclude(shown=F("now"))
        return stale.order_by("created_at")

    def product(self, row: Product) -> Product:
        return row

    def address(self, row: Product) -> str:
        return reverse("admin:catalog_product_change", args=[row.pk])

    def values(self, row: Product) -> dict[str, Any]:
        return {
            "sku": row.sku,
            "locale": row.locale,
            "title": row.title,
            "brand": row.brand,
            "category": row.category,
            "text": self.text(row),
        }

    def is_meant(self, row: Product, stated: Mapping[str, str]) -> bool:
        return stated.get("sku", row.sku) == row.sku

    @staticmethod
    def _facts(row: Product) -> list[tuple[str, str]]:
        return [(fact.name, fact.value) for fact in row.facts.all() if fact.locale == row.locale]
