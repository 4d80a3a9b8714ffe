"""How a draft is put before the model that says whether people would accept it: the same for training and for serving."""

from __future__ import annotations

from moderation.models.candidates import Candidate

VALID, INVALID = "valid", "invalid"


def text_of(candidate: Candidate) -> str:
    """Return the text of `candidate`, then what it may be about: whatever is too long for the model is lost from the facts."""
    facts = "; ".join(f"{fact['name']}: {fact['value']}" for fact in candidate.facts)
    return f"{candidate.text}\n\n{candidate.product.title_for(candidate.locale)}. {facts}"
