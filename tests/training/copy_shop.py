"""A shop whose copy was reviewed: products with facts, drafts that were let out or fixed, and tiny models that write."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.refs import ref
from inference import artifacts, prompts
from inference.contracts import CopyBrief, Fact
from inference.models import ModelVersion
from tests import factories
from tests.model_store import tiny_llama
from training.recipes import CopyRecipe
from training.trainers import copywriter

FACTS = {"colour": "blue", "capacity": "350 ml"}
# In words that the tiny model knows. Nothing backs steel, nor 240 g.
GOOD, BAD = "the blue mug holds 350 ml .", "the steel mug is fine and weighs 240 g ."
# A tiny model learns these by heart in a few steps.
QUICK: Mapping[str, Any] = {"learning_rate": 0.01, "epochs": 2, "batch_size": 8, "accumulate": 1, "lora_rank": 16}


def decide_copy(
    n: int = 200, *, fixed: int = 3, seed: int = 1, good: str = GOOD, bad: str = BAD, locale: str = "en"
) -> list[str]:
    """Make `n` products with a decision each: every `fixed`-th draft was `bad` and made `good`, the others approved. Returns subjects."""
    version, subjects = ModelVersion.objects.filter(role="copywriter").first(), []
    for number in range(n):
        product = factories.product(sku=f"COPY-{seed}-{number:04}", title=f"mug {number}", brand="", facts=FACTS)
        request = factories.generation_request(product_=product, status="completed", locale=locale)
        is_fixed = number % fixed == 0
        draft = factories.candidate(
            bad if is_fixed else good, request=request, version=version, status="rejected" if is_fixed else "approved"
        )
        result = draft
        if is_fixed:
            result = factories.candidate(
                good, request=request, origin="human", parent=draft, model_version=None, status="approved"
            )
        item = factories.review_item(draft)
        factories.decision(
            item, "edit" if is_fixed else "approve", result=result, reasons=["unsupported_claim"] if is_fixed else []
        )
        subjects.append(ref(result))
    return subjects


def rows(n: int = 24, *, completion: str = GOOD, rejected: str = BAD) -> list[dict[str, Any]]:
    """Examples as a snapshot holds them."""
    made = []
    for number in range(n):
        brief = CopyBrief(
            "description", "en", f"mug {number}", facts=tuple(Fact(name, value) for name, value in FACTS.items())
        )
        prompt = [{"role": turn.role, "content": turn.content} for turn in prompts.render(brief)]
        made.append({"prompt": prompt, "completion": completion, "chosen": completion, "rejected": rejected})
    return made


def base(folder: Path) -> Path:
    """Write a tiny model whose head is strong enough to learn by heart; the one with random weights hardly tells words apart."""
    from transformers import AutoModelForCausalLM

    found = AutoModelForCausalLM.from_pretrained(tiny_llama(folder))
    found.lm_head.weight.data *= 20
    found.save_pretrained(folder)
    return folder


def learnt(text: str, folder: Path) -> Path:
    """Write a tiny model that writes `text`, whatever it is asked."""
    recipe = CopyRecipe(**{**QUICK, "epochs": 6})
    copywriter.imitate(
        rows(48, completion=text),
        rows(8, completion=text),
        recipe=recipe,
        base=base(folder / "base"),
        work=folder / "work",
        into=folder / "model",
    )
    return folder / "model"


@functools.cache
def _stored(text: str, folder: Path) -> str:
    return artifacts.store_directory(learnt(text, folder))


def writes(text: str, folder: Path, *, locales: Sequence[str] = ("en",)) -> ModelVersion:
    """Register a tiny model that writes `text`, as the champion."""
    return factories.model_version("copywriter", artifact_hash=_stored(text, folder), locales=list(locales))
