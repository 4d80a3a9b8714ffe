"""`manage.py explain HASH`: which words moved what a stored classifier says of texts, and whether that holds."""

from __future__ import annotations

import json
import sys
from typing import Any

from inference.explanations import explain, faithfulness, strongest
from training.management.stored_model import StoredModelCommand


class Command(StoredModelCommand):
    help = (
        "Read texts as a JSON list from standard input; write label, words with weights and faithfulness of each "
        "as JSON."
    )
    backend = "by_language"

    def answer(self, model: Any) -> Any:
        """Return, for each text, its label, the words that speak for it (strongest first) and the deletion check."""
        return [_of(text, model) for text in json.load(sys.stdin)]


def _of(text: str, model: Any) -> dict[str, Any]:
    weights = explain(text, model)
    check = faithfulness(text, model, weights)
    return {
        "label": model.classify([text])[0].label,
        "words": [
            {"word": word.word, "start": word.start, "end": word.end, "weight": round(word.weight, 4)}
            for word in strongest(weights, 10)
        ],
        "faithfulness": None
        if check is None
        else {
            "words": check.n,
            "lost_without_them": round(check.named, 4),
            "lost_without_others": round(check.random, 4),
            "holds": check.holds,
        },
    }
