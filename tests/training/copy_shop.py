"""A shop whose copy was reviewed: products with facts, drafts that were let out or fixed, and tiny models that write."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.utils import timezone

from catalog.models import Product, ProductFact
from core.hashing import hash_json
from core.refs import ref
from inference import artifacts, prompts
from inference.contracts import CopyBrief, Fact
from inference.models import ModelVersion
from labeling.models import LabelingTask
from moderation.models.candidates import Candidate, GenerationRequest
from moderation.models.reviews import Decision, ReviewItem
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
    version = ModelVersion.objects.filter(role="copywriter").first() or factories.model_version()
    products = _products(n, seed=seed)
    requests = GenerationRequest.objects.bulk_create(
        GenerationRequest(
            product=product,
            channel="description",
            locale=locale,
            status="completed",
            facts_hash=product.facts_hash,
            prompt_version="tests-1",
        )
        for product in products
    )
    facts = factories.facts_of(products[0], locale) if products else []

    def draft(request: GenerationRequest, text: str, **fields: Any) -> Candidate:
        values = {
            "ordinal": 0,
            "product": request.product,
            "channel": request.channel,
            "locale": locale,
            "facts": facts,
            "facts_hash": request.facts_hash,
            "prompt_version": request.prompt_version,
            "status": "approved",
            "screened_at": timezone.now(),
            "grounding": 0.9,
        }
        return Candidate(request=request, text=text, **values | fields)

    results, decisions = list[Candidate](), list[Decision]()
    drafts, fixes, items, tasks = list[Candidate](), list[Candidate](), list[ReviewItem](), list[LabelingTask]()
    project = factories.labeling_project(ls_project_id=7)
    for number, request in enumerate(requests):
        if number % fixed == 0:
            drafts.append(draft(request, bad, model_version=version, status="rejected"))
            fixes.append(draft(request, good, origin="human", parent=drafts[-1], ordinal=1))
            results.append(fixes[-1])
            outcome, reasons = "edit", ["unsupported_claim"]
        else:
            drafts.append(draft(request, good, model_version=version))
            results.append(drafts[-1])
            outcome, reasons = "approve", list[str]()
        item = ReviewItem(
            **ReviewItem.pointing_at("copy_verdict", drafts[-1]), status="decided", decided_at=timezone.now()
        )
        tasks.append(LabelingTask(project=project, reference=ref(item), payload={"reference": ref(item)}))
        item.labeling_task = tasks[-1]
        items.append(item)
        decisions.append(
            Decision(item=item, outcome=outcome, result=results[-1], reason_codes=reasons, decided_by="human_single")
        )
    Candidate.objects.bulk_create([*drafts, *fixes])
    LabelingTask.objects.bulk_create(tasks)
    ReviewItem.objects.bulk_create(items)
    Decision.objects.bulk_create(decisions)
    return [ref(result) for result in results]


def _products(n: int, *, seed: int) -> list[Product]:
    products = Product.objects.bulk_create(
        Product(
            sku=f"COPY-{seed}-{number:04}",
            title=f"mug {number}",
            category="Kitchen",
            source="tests",
            facts_hash=hash_json({"title": f"mug {number}", "facts": FACTS}),
        )
        for number in range(n)
    )
    ProductFact.objects.bulk_create(
        factories.fact_of(product, name, value, position=position)
        for product in products
        for position, (name, value) in enumerate(FACTS.items())
    )
    return products


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
