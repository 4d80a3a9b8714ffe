"""Product pictures: which ones the console may show, and serving those under MEDIA_ROOT."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils._os import safe_join
from django.utils.http import http_date
from django.views.decorators.http import require_safe
from django.views.static import was_modified_since

from catalog.models import Product
from core.addresses import parts_of

TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".svg": "image/svg+xml",
}


def picture_of(product: Product) -> str:
    """Return the address of the product's picture if we hold it ourselves, else nothing.

    A picture on somebody else's server is never loaded by the console: it would tell them who looks at what, and when.
    """
    return _held(product.image_url)


def seen_picture(url: str) -> dict[str, str]:
    """Return what `console/_picture.html` shows of the picture at `url`: itself if we hold it, else a way there."""
    held = _held(url)
    return {"picture": held, "elsewhere": "" if held or parts_of(url).scheme not in ("http", "https") else url}


def _held(url: str) -> str:
    url = url.strip()
    if not url:
        return ""
    parts = parts_of(url)
    if parts.scheme or parts.netloc or not parts.path:
        return url if url.startswith(f"{settings.SITE_URL}{settings.MEDIA_URL}") else ""
    return settings.MEDIA_URL + quote(parts.path.removeprefix(settings.MEDIA_URL).lstrip("/"))


@require_safe
def serve(request: HttpRequest, path: str) -> HttpResponse | FileResponse:
    """Serve a picture under MEDIA_ROOT, and nothing that is not a picture.

    An SVG may hold scripts: the sandbox keeps them from running even when it is opened as a page.
    """
    content_type = TYPES.get(Path(path).suffix.lower())
    try:
        file = Path(safe_join(settings.MEDIA_ROOT, path))
    except (SuspiciousFileOperation, ValueError):
        raise Http404 from None
    if (
        content_type is None
        or not file.is_file()
        or not file.resolve().is_relative_to(Path(settings.MEDIA_ROOT).resolve())
    ):
        raise Http404
    modified = file.stat().st_mtime
    response: HttpResponse | FileResponse
    if was_modified_since(request.META.get("HTTP_IF_MODIFIED_SINCE"), modified):
        response = FileResponse(file.open("rb"), content_type=content_type)
    else:
        response = HttpResponseNotModified()
    response["Last-Modified"] = http_date(modified)
    response["Cache-Control"] = "public, max-age=300"
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    # Shown in Label Studio, which lives on another origin. Pictures are what any shopper sees: no credentials, no
    # secret.
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
