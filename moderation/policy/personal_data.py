"""Personal data and contact attempts: addresses, phones, card and account numbers that copy must never carry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from moderation.policy.base import Check, Draft, Hit, Severity
from moderation.policy.folding import fold
from moderation.policy.identifiers import Found, find_identifiers

_MESSAGES: Final = {
    "email": "An e-mail address.",
    "url": "A web address.",
    "ip_address": "An IP address.",
    "phone": "A phone number.",
    "credit_card": "A card number (its check digit is right).",
    "iban": "A bank account number (its check digits are right).",
    "cn_resident_id": "A Chinese resident identity number (its check digit is right).",
    "us_ssn": "A number in the form of a US social security number.",
    "contact": "An invitation to get in touch outside the shop.",
    "social_handle": "A name on a social network.",
    "street_address": "A street address.",
}
_BLOCKS: Final = frozenset(_MESSAGES) - {"social_handle", "url", "street_address"}


class PersonalDataCheck(Check):
    """Personal data and ways around the shop. Hits never repeat what they found: the span says where it is."""

    name = "personal_data"
    version = "3"

    def find(self, draft: Draft) -> list[Hit]:
        """Return one hit for each identifier; what stands in the title, the brand or a fact is the product's own."""
        folded = draft.said.folded
        own = _plain(" ".join((draft.title, draft.brand, *(fact.value for fact in draft.facts))))
        hits = []
        for found in _without_overlaps(find_identifiers(folded.text)):
            if _plain(folded.text[found.start : found.end]) in own:
                continue
            severity = Severity.BLOCK if found.kind in _BLOCKS else Severity.WARN
            hits.append(Hit(found.kind, severity, _MESSAGES[found.kind], *folded.span(found.start, found.end)))
        return hits


def _plain(text: str) -> str:
    return re.sub(r"[\s().\-]+", "", fold(text).text)


def _without_overlaps(found: Iterator[Found]) -> Iterator[Found]:
    """Keep the longest of what overlaps: the address in a URL is the URL's."""
    reach = -1
    for item in sorted(found, key=lambda item: (item.start, -item.end)):
        if item.start >= reach:
            yield item
            reach = item.end
