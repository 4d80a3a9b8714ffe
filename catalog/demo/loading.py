"""Load the demo shop through the very functions every feed goes through, and draw its pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from catalog.demo import pictures
from catalog.importing import import_products, import_reviews
from catalog.models import ImportRun, Product
from core.hashing import hash_file

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from core.actors import SystemActor

PRODUCTS = Path(__file__).parent / "products.jsonl"
REVIEWS = Path(__file__).parent / "reviews.jsonl"
FOLDER = "demo"  # under MEDIA_ROOT


def load_demo(*, actor: User | SystemActor) -> list[ImportRun]:
    """Import the demo products and reviews, draw a picture for each product, and return the import runs.

    Safe to repeat: a file that was loaded is not loaded again, so that what people changed since stays changed; the
    pictures are drawn where they are missing.
    """
    runs = []
    for kind, path, do_import in (("products", PRODUCTS, import_products), ("reviews", REVIEWS, import_reviews)):
        loaded = ImportRun.objects.filter(kind=kind, file_hash=hash_file(path), status=ImportRun.Status.COMPLETED)
        if not loaded.exists():
            runs.append(do_import(path, actor=actor))
    for product in Product.objects.filter(image_url__startswith=f"{FOLDER}/").prefetch_related("facts"):
        colour = next((fact.value for fact in product.facts.all() if fact.name == "colour"), "")
        svg = pictures.draw(title=product.title, category=product.category, colour=colour)
        pictures.save(Path(settings.MEDIA_ROOT) / FOLDER / f"{product.sku}.svg", svg)
    return runs
