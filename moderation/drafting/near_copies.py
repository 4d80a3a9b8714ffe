"""Live copy that a text may repeat: found by the bands of its signature, among however many there are."""

from __future__ import annotations

from catalog.models import Product, PublishedCopy
from moderation.models.signatures import LiveSignature
from moderation.policy.base import OtherCopy
from moderation.policy.duplicates import bands

# A boilerplate text may share a band with thousands; twenty are enough to say that there are others.
MOST = 20
MOST_NEAR = 500


def remember(copy: PublishedCopy) -> None:
    """Keep the signature of copy that goes live. Call in the transaction that publishes; safe to repeat."""
    LiveSignature.objects.update_or_create(copy=copy, defaults={"bands": bands(copy.text)})


def forget(copy: PublishedCopy) -> None:
    """Drop the signature of copy that is no longer live. Call in the transaction that retires it."""
    LiveSignature.objects.filter(copy=copy).delete()


def find_alike(text: str, *, product: Product, locale: str) -> list[OtherCopy]:
    """Return live copy of other products in `locale` that may be like `text`, at most `MOST`; a check compares them."""
    # Two queries, and no limit on the first: with one, PostgreSQL hopes to find enough by reading the whole table.
    near = list(LiveSignature.objects.filter(bands__overlap=bands(text)).values_list("pk", flat=True))
    copies = PublishedCopy.objects.filter(pk__in=near[:MOST_NEAR], locale=locale).exclude(product=product)
    return [
        OtherCopy(f"catalog.publishedcopy:{copy.pk}", f"{copy.product.sku} {copy.product.title}", copy.text)
        for copy in copies.select_related("product")[:MOST]
    ]
