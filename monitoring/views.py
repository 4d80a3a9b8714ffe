"""Health endpoints for load balancers and for `manage.py up`."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from monitoring import health

RETRY_AFTER_S = 5


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """The process is up. Asks nobody else."""
    return JsonResponse({"status": "up"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Every part in words; 503 and `Retry-After` while one is missing."""
    report = health.recent_report(max_age_s=1)
    if report.is_ready:
        return JsonResponse(report.as_json())
    return JsonResponse(report.as_json(), status=503, headers={"Retry-After": str(RETRY_AFTER_S)})
