"""What a customer wrote to the shop, as something to ask about: what they want, how soon, in which tone."""

from __future__ import annotations

from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.urls import reverse

from catalog.models import CustomerMessage
from core.refs import ref_in_sql
from labeling.subject import Subject
from moderation import markup


class MessageSubject(Subject):
    """A message of a customer. Who wrote it is shown nowhere, and taken out nowhere."""

    name = "message"
    noun = "messages"
    icon = "mail"
    model = CustomerMessage
    joined = ("product",)
    key = "external_id"
    is_scored_as_it_comes = True
    is_personal = True
    fields = {"external_id": "text", "sku": "text", "channel": "text", "locale": "text", "text": "text"}

    def words(self, row: CustomerMessage) -> str:
        return row.text

    def shows(self, row: CustomerMessage) -> str:
        about = " · ".join(
            part for part in (row.get_channel_display(), row.product.title if row.product else "") if part
        )
        return markup.review_html("", row.text, about, None, row.locale)

    def address(self, row: CustomerMessage) -> str:
        return reverse("admin:catalog_customermessage_change", args=[row.pk])

    def edited(self, items: QuerySet[Any]) -> QuerySet[Any]:
        now = CustomerMessage.objects.alias(subject=ref_in_sql(CustomerMessage, F("pk"))).filter(
            subject=OuterRef("about")
        )
        shown = items.alias(shown=KeyTextTransform("text", "labeling_task__payload"), now=Subquery(now.values("text")))
        stale: QuerySet[Any] = shown.filter(shown__isnull=False, now__isnull=False).exclude(shown=F("now"))
        return stale.order_by("created_at")

    def values(self, row: CustomerMessage) -> dict[str, Any]:
        return {
            "external_id": row.external_id,
            "sku": row.product.sku if row.product else "",
            "channel": row.channel,
            "locale": row.locale,
            "text": row.text,
        }
