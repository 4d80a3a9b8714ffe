"""What judges said of drafts: the question's own model as a prediction, a chat model by the hash of the text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from django.conf import settings

from core.refs import ref
from inference import resolver
from inference.judging import JUDGE_PROMPT_VERSION
from inference.models import Role
from moderation.models.candidates import Candidate
from moderation.models.judging import answers_of
from moderation.models.predictions import Prediction
from moderation.policy.claim_kinds import KINDS, POLICY_CLAIMS


def said_of(drafts: Sequence[Candidate]) -> dict[str, Prediction]:
    """Return the latest word of the serving judge on each of `drafts`, by reference; nothing of what it did not see."""
    said = Prediction.objects.of(POLICY_CLAIMS, drafts).filter(is_shadow=False).select_related("model_version")
    return {one.subject: one for one in said.order_by("pk")}


def claims_in(said: Prediction) -> set[str]:
    """Return the kinds of claims that `said` is surer of than `JUDGE_ATTENTION_PERCENT` asks for."""
    least = settings.JUDGE.attention_from
    return {kind for kind, odds in said.probabilities.items() if kind in KINDS and odds >= least}


def chat_says(drafts: Sequence[Candidate]) -> dict[str, set[str]]:
    """Return what the second judge says of `drafts`, by reference, whether it counts or not; nothing of what it gave no
    answer to.
    """
    judge = resolver.find(Role.JUDGE) if drafts else None
    if judge is None:
        return {}
    hashes = {ref(draft): hash_of_text(draft.text) for draft in drafts}
    said = answers_of(judge, JUDGE_PROMPT_VERSION).filter(text_hash__in=set(hashes.values())).exclude(claims=None)
    claims = dict(said.values_list("text_hash", "claims"))
    return {subject: set(claims[one] or ()) for subject, one in hashes.items() if one in claims}


def hash_of_text(text: str) -> str:
    """Return the hash that answers about `text` are kept by: `moderation.models.judging.hash_of` in Python."""
    return hashlib.sha256(text.encode()).hexdigest()
