"""A picture of a product, as something to ask about: what it shows, whether shoppers may see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from catalog.cleaning import clean_line
from catalog.models import ProductPicture
from labeling.subject import Subject
from moderation import markup
from questions.addresses import absolute, picture_at


class PictureSubject(Subject):
    """A picture that a product has. No model of ours reads one: people alone answer."""

    name = "picture"
    noun = "pictures"
    icon = "image"
    model = ProductPicture
    joined = ("product",)
    locale_column = ""
    is_readable = False
    told_by = ("sku", "address")
    fields = {"sku": "text", "title": "text", "address": "text"}

    def words(self, row: ProductPicture) -> str:
        return f"Picture of {row.product.title} ({row.product.sku})"

    def shows(self, row: ProductPicture) -> str:
        # No `Image` of Label Studio: it fetches by script, which servers of others mostly refuse.
        product = row.product
        shown = markup.picture_html(picture_at(row.address), height=480) or "<p>No picture that can be shown.</p>"
        head = markup.product_html(product.title, product.brand, product.category)
        return head + shown + markup.link_html(absolute(self.address(row)))

    def locale(self, row: ProductPicture) -> str:
        """Return nothing: nobody has to read a language to look at one."""
        return ""

    def picture(self, row: ProductPicture) -> str:
        return row.address

    def address(self, row: ProductPicture) -> str:
        return reverse("admin:catalog_product_change", args=[row.product_id])

    def values(self, row: ProductPicture) -> dict[str, Any]:
        return {"sku": row.product.sku, "title": row.product.title, "address": picture_at(row.address)}

    def is_meant(self, row: ProductPicture, stated: Mapping[str, str]) -> bool:
        # A path under MEDIA_URL goes out with where this installation stands, which may have moved.
        held, sku = clean_line(row.address), row.product.sku
        address = stated.get("address", held)
        is_its = address == held or ("://" not in held and address.endswith(f"/{held.lstrip('/')}"))
        return is_its and stated.get("sku", sku) == sku

    def all(self) -> QuerySet[ProductPicture]:
        """Return those that products have now: what shoppers do not see any more is not asked about."""
        return ProductPicture.objects.filter(removed_at=None)
