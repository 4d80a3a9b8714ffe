"""The reasons a reviewer can give for a fix or a rejection."""

from __future__ import annotations

REASONS = {
    "unsupported_claim": "Unsupported claim",
    "wrong_fact": "Wrong fact",
    "tone": "Tone",
    "grammar": "Grammar",
    "too_long": "Too long",
    "off_brand": "Off brand",
    "legal_risk": "Legal risk",
    "other": "Other",
}
