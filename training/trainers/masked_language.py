"""Go on pretraining an encoder on unlabelled texts of the shop, by masked words, before it learns labels.

Gururangan, S. et al. (2020, ACL, "Don't stop pretraining"). The head that guesses the words is thrown away; the encoder
keeps its files and its way of pooling, so that every other trainer can start from it.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import AutoModelForMaskedLM, AutoTokenizer, DataCollatorForLanguageModeling, set_seed

from core.exceptions import PermanentError
from inference.backends import torch_runtime
from training.trainers.contracts import Watch, unwatched

FEWEST_TEXTS = 50
MASKED = 0.15
LEARNING_RATE = 5e-5
WEIGHTS = "model.safetensors"


def pretrain(
    texts: Sequence[str],
    *,
    base: Path,
    into: Path,
    steps: int,
    seed: int,
    max_tokens: int,
    batch_size: int = 16,
    watch: Watch = unwatched,
) -> dict[str, Any]:
    """Write the encoder of `base`, after `steps` batches of `texts` with words masked, to `into`; return the losses.

    Raises `PermanentError` where there are too few texts, or the base has no token that masks.
    """
    if len(texts) < FEWEST_TEXTS:
        raise PermanentError(
            f"{len(texts)} unlabelled texts are too few to pretrain on: {FEWEST_TEXTS} at least",
            hint="pretrain_steps=0",
        )
    set_seed(seed)
    device, _ = torch_runtime.pick({"dtype": "float32"})
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    if tokenizer.mask_token_id is None:
        raise PermanentError("this base has no token that masks a word", hint="pretrain_steps=0, or a BERT-like base.")
    model: Any = AutoModelForMaskedLM.from_pretrained(
        base, dtype=torch.float32, local_files_only=True, trust_remote_code=False, use_safetensors=True
    ).to(device)
    model.train()
    encoded = tokenizer(list(texts), truncation=True, max_length=max_tokens)["input_ids"]
    masker = DataCollatorForLanguageModeling(tokenizer, mlm_probability=MASKED)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.01)
    rng, losses = np.random.default_rng(seed), list[float]()
    for step in range(1, steps + 1):
        rate = LEARNING_RATE * min(step / max(1.0, 0.1 * steps), 1 - (step - 1) / steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        drawn = rng.choice(len(encoded), size=min(batch_size, len(encoded)), replace=False)
        inputs = masker([{"input_ids": encoded[i]} for i in drawn]).to(device)
        loss = model(**inputs).loss
        if not bool(torch.isfinite(loss)):  # of a batch in which no word happened to be masked
            continue
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
        watch(step, steps, {"loss": losses[-1]})
    shutil.copytree(base, into, dirs_exist_ok=True, ignore=shutil.ignore_patterns("manifest.json", "*.bin", WEIGHTS))
    _save_encoder(model.base_model, base, into)
    tenth = max(1, len(losses) // 10)
    return {
        "pretrain_steps": steps,
        "pretrain_texts": len(texts),
        "pretrain_loss_before": round(sum(losses[:tenth]) / tenth, 4) if losses else math.nan,
        "pretrain_loss_after": round(sum(losses[-tenth:]) / tenth, 4) if losses else math.nan,
    }


def _save_encoder(encoder: Any, base: Path, into: Path) -> None:
    """Write the weights of `encoder` under the names that `base` has, and of `base` what the masked model leaves out:
    its pooler.
    """
    from safetensors.torch import load_file

    kept = load_file(base / WEIGHTS)
    learnt = {name: value.detach().cpu().contiguous() for name, value in encoder.state_dict().items()}
    prefix = next((name.removesuffix(key) for name in kept for key in learnt if name.endswith(f".{key}")), "")
    save_file(
        {**kept, **{prefix + name: value for name, value in learnt.items()}}, into / WEIGHTS, metadata={"format": "pt"}
    )
