"""Try a stored model in a process that has nothing else loaded: what serves it will be one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from django.conf import settings

from core.exceptions import TransientError
from inference.contracts import Message, TextGenerator
from inference.models import ModelVersion
from inference.prompts import params_for

TIMEOUT_S = 300
CLOSE = 1e-3
NEW_TOKENS = 16


def works_alone(
    version: ModelVersion, texts: Sequence[str], expected: Sequence[Sequence[float]], labels: Sequence[str]
) -> str:
    """Return why `version`, in a fresh process, does not say the same as here about `texts`; empty when it does."""
    found, why = _ask("classify_texts", version, list(texts))
    if why:
        return why
    furthest = max(
        (
            abs(said.get(label, 0.0) - value)
            for said, row in zip(found, expected, strict=True)
            for label, value in zip(labels, row, strict=True)
        ),
        default=0.0,
    )
    return "" if furthest <= CLOSE else f"its probabilities differ by {furthest:.4f} from those measured here"


def writes_alone(version: ModelVersion, prompts: Sequence[Sequence[Message]], expected: Sequence[str]) -> str:
    """Return why `version`, in a fresh process, does not write `expected` for `prompts`; empty when it does."""
    found, why = _ask("write_texts", version, [[[turn.role, turn.content] for turn in prompt] for prompt in prompts])
    if why:
        return why
    differ = sum(ours != theirs for ours, theirs in zip(expected, found, strict=True))
    return f"{differ} of {len(expected)} texts are others than those written here" if differ else ""


def begin(writer: TextGenerator, prompts: Sequence[Sequence[Message]]) -> list[str]:
    """Return the beginning of what `writer` answers to each prompt, drawn greedily."""
    params = params_for("description", seed=0, overrides={"temperature": 0, "max_new_tokens": NEW_TOKENS})
    return [answer.text for answer in writer.generate(prompts, params)]


def _ask(name: str, version: ModelVersion, given: list[Any]) -> tuple[list[Any], str]:
    """Return what the command `name` makes of `given` with `version`, or why it makes nothing of it.

    Raises `TransientError` where that says something of this machine and nothing of the model: no time, no memory.
    """
    command = [
        sys.executable,
        "manage.py",
        name,
        version.artifact_hash,
        "--backend",
        version.backend,
        "--options",
        json.dumps(version.options),
    ]
    try:
        done = subprocess.run(  # noqa: S603  (our own interpreter and commands; the arguments are a hash and two names)
            command,
            input=json.dumps(given),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
            cwd=settings.BASE_DIR,
        )
    except subprocess.TimeoutExpired as exc:
        raise TransientError(f"the saved model said nothing in a fresh process within {TIMEOUT_S} s") from exc
    if done.returncode < 0:
        raise TransientError(
            f"the fresh process that tried the saved model was killed by signal {-done.returncode}",
            hint="Signal 9 is most often too little memory.",
        )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return [], f"it ended with status {done.returncode}: {lines[-1][:200] if lines else 'no message'}"
    found: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return found, ""
