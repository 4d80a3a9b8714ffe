"""Read the catalogue: live copy, facts in a language, products by word."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from catalog.models import Product, ProductFact, PublishedCopy


def live_copy_for(
    product: Product, *, channel: str | None = None, locale: str | None = None
) -> QuerySet[PublishedCopy]:
    """Return the copy of `product` that shoppers see now, optionally in one channel or locale; latest first."""
    copies = PublishedCopy.objects.filter(product=product, retired_at=None)
    if channel is not None:
        copies = copies.filter(channel=channel)
    if locale is not None:
        copies = copies.filter(locale=locale)
    return copies


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
