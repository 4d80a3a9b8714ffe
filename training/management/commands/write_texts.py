"""`manage.py write_texts HASH`: have a stored language model answer prompts, in a process of its own."""

from __future__ import annotations

import json
import sys
from typing import Any

from inference.contracts import Message
from training.evaluation import smoke
from training.management.stored_model import StoredModelCommand


class Command(StoredModelCommand):
    help = """Read prompts from standard input, a JSON list of lists of [role, content]; write the beginning of each
    answer as JSON, drawn greedily. Needs no database."""
    backend = "causal_lm"

    def answer(self, model: Any) -> Any:
        """Return the beginning of the answer to each prompt."""
        return smoke.begin(model, [[Message(role, content) for role, content in one] for one in json.load(sys.stdin)])
