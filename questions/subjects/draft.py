"""A text that a model drafted, as something to ask about."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from labeling.subject import Subject
from moderation import markup
from moderation.models.candidates import Candidate


class DraftSubject(Subject):
    """A draft of copy."""

    name = "draft"
    noun = "drafts"
    icon = "draft"
    model = Candidate
    joined = ("product",)
    key = "id"
    fields = {"sku": "text", "channel": "text", "locale": "text", "text": "text"}

    def words(self, row: Candidate) -> str:
        return row.text

    def text(self, row: Candidate) -> str:
        """Return the draft, then what it may be about: whatever is too long for the model is lost from the facts."""
        facts = "; ".join(f"{fact['name']}: {fact['value']}" for fact in row.facts)
        return f"{row.text}\n\n{row.product.title_for(row.locale)}. {facts}"

    def shows(self, row: Candidate) -> str:
        return markup.draft_html(
            row.text, (), channel=row.get_channel_display(), locale=row.locale, grounding=row.grounding
        )

    def address(self, row: Candidate) -> str:
        return reverse("console:candidate", args=[row.pk])

    def values(self, row: Candidate) -> dict[str, Any]:
        return {"sku": row.product.sku, "channel": row.channel, "locale": row.locale, "text": row.text}
