"""How brands speak: part of the policy in force, put there by a person, told to the model and checked in its drafts."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.db import transaction

from core.actors import SystemActor, require_permission
from core.locks import take_turns
from core.reasons import require_reason
from inference.contracts import BrandVoice
from moderation import policy_versions
from moderation.models.policies import PolicyActivation, PolicyVersion
from moderation.policy.brand_voices import BrandVoices, parse_voices

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def difference(voices: BrandVoices) -> tuple[str, ...]:
    """Return what `voices` would change in what is in force: `+`, `-` or `~`, the brand, its language, the fields."""
    return policy_versions.difference(*({"brand_voices": kept} for kept in (_kept_now(), voices.dump())))


def load(voices: BrandVoices, *, actor: User | SystemActor, reason: str) -> PolicyVersion | None:
    """Put `voices` in force in place of those there are, as a policy version that differs in nothing else.

    Returns it, None where nothing differs. Needs moderation.activate_policy and a reason; ledger lines as for a policy.
    """
    require_permission(actor, "moderation.activate_policy")
    reason = require_reason(reason, act="A change of brand voices")
    with transaction.atomic():
        take_turns(policy_versions.VERSIONS)
        now = policy_versions.policy_in_force().version
        if not difference(voices):
            return None
        version, _ = policy_versions.store_version(policy_versions.with_brand_voices(now.content, voices), actor=actor)
        policy_versions.activate(version, actor=actor, reason=reason)
    return version


def voice_now(brand: str, locale: str) -> BrandVoice | None:
    """Return what a prompt is told of how `brand` speaks now, None where nothing is."""
    latest = PolicyActivation.objects.values_list("version__content_hash", flat=True).first()
    return voice_then(brand, locale, version=latest or "")


def voice_then(brand: str, locale: str, *, version: str) -> BrandVoice | None:
    """Return how `brand` spoke under the policy whose hash is `version`; None without a voice or a hash."""
    voice = _voices_of(version).voice_for(brand, locale) if brand and version else None
    if voice is None:
        return None
    pairs = [(one.say, one.instead_of) for one in voice.preferred]
    pairs += [(one.instead, (one.term,)) for one in voice.forbidden if one.instead]
    never = tuple(one.term for one in voice.forbidden if not one.instead)
    return BrandVoice(version, voice.tone, voice.longest_sentence, tuple(pairs), never)


def _kept_now() -> dict[str, Any]:
    return PolicyActivation.objects.values_list("version__content__brand_voices", flat=True).first() or {}


@lru_cache(maxsize=16)
def _voices_of(content_hash: str) -> BrandVoices:
    # A process keeps what it has read: versions never change, and each draft asks.
    kept = PolicyVersion.objects.filter(content_hash=content_hash)
    return parse_voices(kept.values_list("content__brand_voices", flat=True).first() or {})
