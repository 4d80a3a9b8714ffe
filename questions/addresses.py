"""Where our own pages and pictures are, as Label Studio's pages, on another origin, have to ask for them."""

from __future__ import annotations

from django.conf import settings

from catalog.models import Product


def absolute(path: str) -> str:
    """Return the address of one of our pages as Label Studio's pages have to ask for it."""
    return f"{settings.SITE_URL}/{path.lstrip('/')}"


def picture_url(product: Product) -> str:
    """Return where the picture of `product` is; an address of its own stays, a path is one under MEDIA_URL."""
    return picture_at(product.image_url)


def picture_at(url: str) -> str:
    """Return where the picture with the address `url` is, as `picture_url`."""
    return url if not url or "://" in url else absolute(f"{settings.MEDIA_URL}{url}")
