"""How each brand speaks: the terms, the tone and the length of sentences that are in force."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from core.actors import AuthenticatedHttpRequest, require_permission
from ecomsite.console.pages import page
from moderation import policy_versions
from moderation.models.policies import PolicyVersion
from moderation.policy.brand_voices import Voice, parse_voices


@require_safe
def overview(request: AuthenticatedHttpRequest) -> HttpResponse:
    """Show the voices in force by brand and language, or what they are for where there are none."""
    require_permission(request.user, "moderation.view_policyversion")
    now = policy_versions.policy_in_force().version
    context = {"title": "Brand voices", "now": now, "brands": brands_of(now)}
    return page(request, "console/brand_voices.html", context)


def brands_of(version: PolicyVersion) -> list[tuple[str, list[tuple[str, Voice]]]]:
    """Return the voices of `version`: each brand with its languages, as `_brand_voices.html` shows them."""
    voices = parse_voices(version.content.get("brand_voices", {})).brand_voices
    return [(brand, list(by_locale.items())) for brand, by_locale in sorted(voices.items())]
