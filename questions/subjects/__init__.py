"""What a question can be about: a file for each sort of thing, and a line in SUBJECTS of ecomsite/asking.py."""

from __future__ import annotations

import hashlib

from catalog.models import Product


def group_of(product: Product | None, text: str) -> str:
    """Return what must not be split: all that is about one product; without a product, the text itself."""
    return product.sku if product else f"text:{hashlib.sha256(text.encode()).hexdigest()[:16]}"
