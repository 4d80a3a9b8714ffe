"""Read the catalogue: live copy, facts in a language, products by word."""

from __future__ import annotations

import uuid
from typing import NamedTuple

import psycopg
from django.db import OperationalError, connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from catalog.models import CONTROL, CustomerReview, HiddenReview, Product, ProductFact, PublishedCopy


def live_copy_for(
    product: Product, *, channel: str | None = None, locale: str | None = None
) -> QuerySet[PublishedCopy]:
    """Return the copy of `product` that is live, all variants, optionally in one channel or locale; latest first."""
    copies = PublishedCopy.objects.filter(product=product, retired_at=None)
    if channel is not None:
        copies = copies.filter(channel=channel)
    if locale is not None:
        copies = copies.filter(locale=locale)
    return copies


NEVER_BY_ITSELF = 2**31


class LiveCopy(NamedTuple):
    """What is live in a place: its locale, and the copy's key, if any is."""

    locale: str
    copy_id: uuid.UUID | None


_FIND_LIVE_COPY = """
SELECT wanted.locale, live.id
FROM (SELECT id, coalesce(%s::varchar, locale) AS locale FROM catalog_product WHERE sku = %s) AS wanted
LEFT JOIN catalog_publishedcopy AS live
  ON live.product_id = wanted.id AND live.channel = %s AND live.locale = wanted.locale
  AND live.audience = %s AND live.variant = %s AND live.retired_at IS NULL
"""


def find_live_copy(
    sku: str, *, channel: str, locale: str | None = None, audience: str = "", variant: str = CONTROL
) -> LiveCopy | None:
    """Return what shoppers see now in `channel` of the product `sku`, in its title's language unless `locale` is given.

    That is the text for everybody in the variant `control`, unless others are named. None when there is no such
    product. This is what the shop asks all day: one statement on two indexes, prepared once for a connection, and no
    other to see whether the connection still works. If it does not, a new one is tried.
    """
    try:
        return _look(sku, channel, locale, audience, variant)
    except OperationalError:
        if connection.in_atomic_block:
            raise
        connection.close()
        return _look(sku, channel, locale, audience, variant)


def _look(sku: str, channel: str, locale: str | None, audience: str, variant: str) -> LiveCopy | None:
    connection.ensure_connection()
    raw = connection.connection
    # Django has nothing prepared; with this, what is asked for expressly is, and still nothing else.
    raw.prepare_threshold = NEVER_BY_ITSELF
    with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
        asked = [locale, sku, channel, audience, variant]
        row = cursor.execute(_FIND_LIVE_COPY, asked, prepare=True).fetchone()
    return None if row is None else LiveCopy(*row)


def hidden_reviews() -> QuerySet[HiddenReview]:
    """Return what is hidden now, the latest first, each with its customer review and product."""
    return HiddenReview.objects.filter(ended_at=None).select_related("review__product")


def shown_reviews() -> QuerySet[CustomerReview]:
    """Return the customer reviews that a shop may show, the latest first: all but those a decision hides."""
    hidden = HiddenReview.objects.filter(review=OuterRef("pk"), ended_at=None)
    return CustomerReview.objects.filter(~Exists(hidden))


def facts_for(product: Product, *, locale: str) -> list[ProductFact]:
    """Return the facts of `product` in `locale`; where it has none there, those in the language of its main title."""
    facts = list(product.facts.all())
    return [fact for fact in facts if fact.locale == locale] or [
        fact for fact in facts if fact.locale == product.locale
    ]


def search_products(words: str = "", *, category: str = "", brand: str = "") -> QuerySet[Product]:
    """Return the products that hold every one of `words` in sku, title, brand or category; ordered by sku."""
    products = Product.objects.all()
    if category:
        products = products.filter(category__istartswith=category)
    if brand:
        products = products.filter(brand__iexact=brand)
    for word in words.split()[:10]:
        products = products.filter(
            Q(sku__icontains=word)
            | Q(title__icontains=word)
            | Q(localized_titles__icontains=word)
            | Q(brand__icontains=word)
            | Q(category__icontains=word)
        )
    return products
