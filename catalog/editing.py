"""What follows from an edit of a product by hand: a new facts hash, and a line in the ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from audit import ledger
from catalog.feeds.base import FactRecord, ProductRecord
from catalog.import_writes import facts_hash_of
from catalog.models import Product
from core.actors import SystemActor, require_permission
from core.refs import ref

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def hash_of(product: Product) -> str:
    """Return the SHA-256 of everything that copy about `product` may claim: the hash its next import would give it."""
    facts = tuple(
        FactRecord(
            name=fact.name,
            value=fact.value,
            locale=fact.locale,
            kind=fact.kind,
            # As a feed writes it: the column pads every number to six places.
            number=None if fact.number is None else Decimal(f"{fact.number.normalize():f}"),
            unit=fact.unit,
        )
        for fact in product.facts.all()
    )
    record = ProductRecord(
        sku=product.sku,
        title=product.title,
        locale=product.locale,
        localized_titles=product.localized_titles,
        brand=product.brand,
        category=product.category,
        facts=facts,
    )
    return facts_hash_of(record)


def record_edit(product: Product, *, actor: User | SystemActor) -> None:
    """Bring the facts hash of an edited `product` up to date and note the edit. Needs catalog.change_product."""
    require_permission(actor, "catalog.change_product")
    with transaction.atomic():
        before = product.facts_hash
        product.facts_hash = hash_of(product)
        product.save(update_fields=["facts_hash", "updated_at"])
        ledger.append(
            "catalog.product.edited",
            subject=ref(product),
            actor=actor,
            payload={"sku": product.sku, "facts_before": before, "facts_after": product.facts_hash},
        )
