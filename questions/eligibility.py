"""What may be learnt from, and what not: personal data, licences, and how texts are read."""

from __future__ import annotations

import re
import unicodedata

from django.conf import settings

from catalog.models import Product
from labeling.models import Vote
from moderation.policy import identifiers
from moderation.policy.folding import fold

# Who is told apart in customers' words: what a review holds of these is left out of training altogether.
PERSONAL = {"email", "phone", "credit_card", "iban", "cn_resident_id", "us_ssn"}


def clean(text: str) -> str:
    """Return `text` composed, without control characters and runs of spaces: as it is read when it is scored,
    no more.
    """
    composed = unicodedata.normalize("NFC", text)
    visible = "".join(" " if unicodedata.category(char) in {"Cc", "Cs"} and char != "\n" else char for char in composed)
    return re.sub(r"[ \t]+", " ", visible).strip()


def holds_personal_data(text: str) -> bool:
    """Return whether an address, a phone or an account number stands in `text`."""
    return any(found.kind in PERSONAL for found in identifiers.find_identifiers(fold(text).text))


def is_barred(product: Product | None) -> bool:
    """Return whether a product came with a feed whose licence does not allow to train on it:
    `settings.TRAINING.barred_feeds`.
    """
    return product is not None and product.source in settings.TRAINING.barred_feeds


def blind(question: str, subjects: list[str]) -> dict[str, bool]:
    """Return for each subject whether nobody who labelled it saw a suggestion; nothing where it is not known."""
    found: dict[str, bool] = {}
    votes = Vote.objects.filter(question=question, subject__in=subjects).exclude(is_assisted=None)
    for subject, is_assisted in votes.values_list("subject", "is_assisted"):
        found[subject] = found.get(subject, True) and not is_assisted
    return found
