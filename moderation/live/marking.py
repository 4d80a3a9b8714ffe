"""The AI mark of published copy: a visible label in the reader's language, and records that machines read.

GB 45438-2025 (in force 2025-09-01) asks for an explicit label and an implicit `AIGC` record; the EU AI Act, Art. 50(2),
for a machine-readable mark. The source type follows the IPTC vocabulary, as C2PA and schema.org do. Our reading; no
legal advice.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings

from catalog.models import PublishedCopy
from core.hashing import canonical_json, hash_json
from moderation.live import content_credentials
from moderation.models.candidates import Candidate

VISIBLE_LABEL = {
    "en": {"machine": "AI-generated, reviewed by a person", "human": "AI-generated, edited by a person"},
    "zh-Hans": {"machine": "AI生成，经人工审核", "human": "AI生成，经人工编辑"},
}
IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
MACHINE, EDITED = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"
# https://schema.org/IPTCDigitalSourceEnumeration has the same words with another ending.
SCHEMA_ORG = {
    IPTC + MACHINE: "https://schema.org/TrainedAlgorithmicMediaDigitalSource",
    IPTC + EDITED: "https://schema.org/CompositeWithTrainedAlgorithmicMediaDigitalSource",
}
# Google Merchant Center, attribute structured_description, sub-attribute digital_source_type: one word for both.
MERCHANT = "trained_algorithmic_media"


def mark_for(candidate: Candidate) -> dict[str, Any]:
    """Return the mark of `candidate` as it is let out, a person's edit included.

    `label` is the visible text, `AIGC` the record of GB 45438-2025 with our signature in `ReservedCode1`,
    `digitalSourceType` IPTC's, and `c2pa` the manifest that goes behind the text where the channel keeps it.
    """
    edited = candidate.origin == Candidate.Origin.HUMAN
    producer, name = settings.AI_MARK.producer, candidate.first_draft.model_version
    record = {
        "Label": "1",
        "ContentProducer": producer,
        "ProduceID": str(candidate.pk),
        "ContentPropagator": producer,
        "PropagateID": str(candidate.pk),
        "ReservedCode2": "",
    }
    mark = {
        "label": VISIBLE_LABEL.get(candidate.locale, VISIBLE_LABEL["en"])[candidate.origin],
        "AIGC": {**record, "ReservedCode1": content_credentials.sign(_signed(record, candidate.text))},
        "digitalSourceType": IPTC + (EDITED if edited else MACHINE),
    }
    if candidate.channel in settings.AI_MARK.c2pa_channels:
        mark["c2pa"] = content_credentials.manifest_for(candidate.text, model=name.name if name else "")
    return mark


def is_genuine(record: dict[str, Any], text: str) -> bool:
    """Whether an `AIGC` record is ours and about this very text."""
    rest = {key: value for key, value in record.items() if key != "ReservedCode1"}
    return content_credentials.is_signed(_signed(rest, text), str(record.get("ReservedCode1", "")))


def for_page(copy: PublishedCopy) -> dict[str, Any]:
    """Return what a page that shows `copy` puts into its head: `meta` (name → content) and `json_ld` (schema.org)."""
    mark = copy.ai_mark
    source = mark.get("digitalSourceType", "")
    return {
        "meta": {"AIGC": canonical_json(mark.get("AIGC", {}))},
        "json_ld": {
            "@context": "https://schema.org",
            "@type": "CreativeWork",
            "@id": f"urn:uuid:{copy.pk}",
            "about": {"@type": "Product", "sku": copy.product.sku},
            "text": copy.text,
            "inLanguage": copy.locale,
            "datePublished": copy.published_at.isoformat(),
            "creditText": mark.get("label", ""),
            "digitalSourceType": SCHEMA_ORG.get(source, source),
        },
    }


def for_api(copy: PublishedCopy) -> dict[str, Any]:
    """Return the mark of `copy` as the API and the feed tell it: all but the manifest, and what goes into a page."""
    return {**{key: value for key, value in copy.ai_mark.items() if key != "c2pa"}, **for_page(copy)}


def with_manifest(copy: PublishedCopy) -> str | None:
    """Return the text of `copy` with its C2PA manifest inside; None where its channel keeps none."""
    manifest = copy.ai_mark.get("c2pa")
    return content_credentials.marked(copy.text, manifest) if manifest else None


def _signed(record: dict[str, Any], text: str) -> dict[str, Any]:
    return {"AIGC": record, "text_hash": hash_json([text])}
