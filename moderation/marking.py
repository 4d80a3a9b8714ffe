"""The AI mark of published copy: a visible label in the reader's language and machine-readable metadata.

GB 45438-2025 (in force 2025-09-01) asks for an explicit label and an implicit `AIGC` record; the EU AI Act, Art. 50(2),
for a machine-readable mark. The source type follows the IPTC vocabulary used by C2PA. Our reading; no legal advice.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from core.hashing import hash_json
from moderation.models.candidates import Candidate

VISIBLE_LABEL = {
    "en": {"machine": "AI-generated, reviewed by a person", "human": "AI-generated, edited by a person"},
    "zh-Hans": {"machine": "AI生成，经人工审核", "human": "AI生成，经人工编辑"},
}
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def mark_for(candidate: Candidate) -> dict[str, Any]:
    """Return the mark of `candidate`: `label` (visible text), `AIGC` (GB 45438-2025) and `digitalSourceType` (IPTC)."""
    edited = candidate.origin == Candidate.Origin.HUMAN
    producer = settings.AI_CONTENT_PRODUCER
    return {
        "label": VISIBLE_LABEL.get(candidate.locale, VISIBLE_LABEL["en"])[candidate.origin],
        "AIGC": {
            "Label": "1",
            "ContentProducer": producer,
            "ProduceID": str(candidate.pk),
            "ReservedCode1": hash_json([candidate.text]),
            "ContentPropagator": producer,
            "PropagateID": str(candidate.pk),
            "ReservedCode2": "",
        },
        "digitalSourceType": SOURCE_TYPE
        + ("compositeWithTrainedAlgorithmicMedia" if edited else "trainedAlgorithmicMedia"),
    }
