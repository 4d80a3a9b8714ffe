"""`manage.py classify_texts HASH`: have a stored classifier judge texts, in a process that has nothing else loaded."""

from __future__ import annotations

import json
import sys
from typing import Any

from training.management.stored_model import StoredModelCommand


class Command(StoredModelCommand):
    help = "Read texts as a JSON list from standard input; write the probabilities of each as JSON. Needs no database."
    backend = "by_language"

    def answer(self, model: Any) -> Any:
        """Return the probabilities of each text."""
        return [dict(answer.probabilities) for answer in model.classify(json.load(sys.stdin))]
