"""How each brand speaks: the terms, the tone and the length of sentences that are in force."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from core.actors import AuthenticatedHttpRequest, require_permission
from ecomsite.console.pages import page
from moderation import policy_versions
from moderation.policy.brand_voices import parse_voices


@require_safe
def overview(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Show the voices in force by brand and language, or what they are for where there are none."""
    require_permission(request.user, "moderation.view_policyversion")
    now = policy_versions.policy_in_force().version
    voices = parse_voices(now.content.get("brand_voices", {}))
    context = {
        "title": "Brand voices",
        "now": now,
        "brands": [(brand, list(by_locale.items())) for brand, by_locale in sorted(voices.brand_voices.items())],
    }
    return page(request, "console/brand_voices.html", context)
