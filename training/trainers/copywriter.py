"""Adapt a causal language model to how people want copy: imitate what they let out, then prefer their fixes.

Supervised fine-tuning takes the loss on the answer alone. Preferences are learnt by DPO (Rafailov, R. et al. 2023,
NeurIPS), from the fix and what it fixed; the reference is the model that imitation made. Both train a fresh LoRA and
merge it, so that serving needs no adapter, and both go on from their last checkpoint. The token ids are those of
serving (`inference.backends.chat_tokens`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import peft
import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, EarlyStoppingCallback, set_seed
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from core.exceptions import PermanentError
from inference.backends import chat_tokens, torch_runtime
from inference.contracts import Message
from training.recipes import CopyRecipe
from training.trainers import checkpoints, launch, shared_prompts
from training.trainers.contracts import Watch, unwatched

EVALUATIONS = 6
# Of a label: this token adds nothing to the loss.
UNLEARNT = -100
Rows = Sequence[Mapping[str, Any]]


def imitate(
    train: Rows,
    validation: Rows,
    *,
    recipe: CopyRecipe,
    base: Path,
    work: Path,
    into: Path,
    adapter: Path | None = None,
    watch: Watch = unwatched,
    report_to: Sequence[str] = (),
) -> dict[str, Any]:
    """Fine-tune on rows {prompt: turns, completion: text}; write a model directory for `causal_lm` into `into`.

    `work` holds checkpoints, and those that are there are gone on from. `adapter`: where the LoRA goes by itself, too,
    before it is merged. Returns what was measured on the way. Raises `PermanentError` when every example is longer than
    the model or the recipe allows.
    """
    model, tokenizer = _load(base, recipe)
    longest = _longest(model, recipe)
    parts = [_short(encode(tokenizer, rows), longest) for rows in (train, validation)]
    arguments = SFTConfig(
        **_common(recipe, work, len(parts[0]), epochs=recipe.epochs, report_to=report_to),
        learning_rate=recipe.learning_rate,
        max_length=longest if recipe.packing else None,
        packing=recipe.packing,
        eval_packing=False,
    )
    trainer = SFTTrainer(
        model=model,
        args=arguments,
        processing_class=tokenizer,
        peft_config=_lora(recipe),
        train_dataset=Dataset.from_list(parts[0]),
        eval_dataset=Dataset.from_list(parts[1]),
        callbacks=[EarlyStoppingCallback(recipe.patience), checkpoints.Reporter(watch)],
    )
    return {**_finish(trainer, tokenizer, work, into, adapter=adapter), **_counts(parts, (train, validation))}


def prefer(
    train: Rows,
    validation: Rows,
    *,
    recipe: CopyRecipe,
    base: Path,
    work: Path,
    into: Path,
    watch: Watch = unwatched,
    report_to: Sequence[str] = (),
) -> dict[str, Any]:
    """Fine-tune on rows {prompt: turns, chosen: text, rejected: text}; as `imitate` otherwise."""
    model, tokenizer = _load(base, recipe)
    longest = _longest(model, recipe)
    parts = [_short(encode_pairs(tokenizer, rows), longest) for rows in (train, validation)]
    arguments = DPOConfig(
        **_common(recipe, work, len(parts[0]), epochs=recipe.preference_epochs, report_to=report_to),
        learning_rate=recipe.preference_rate,
        beta=recipe.beta,
        max_length=None,
    )
    trainer = _Preferring(
        model=model,
        args=arguments,
        processing_class=tokenizer,
        peft_config=_lora(recipe),
        train_dataset=Dataset.from_list(parts[0]),
        eval_dataset=Dataset.from_list(parts[1]),
        callbacks=[EarlyStoppingCallback(recipe.patience), checkpoints.Reporter(watch)],
    )
    return {**_finish(trainer, tokenizer, work, into), **_counts(parts, (train, validation))}


class _Preferring(DPOTrainer):  # type: ignore[misc]
    """Takes pairs that are token ids already; the original would apply the chat template in its own way."""

    def _prepare_dataset(self, dataset: Dataset, *args: Any) -> Dataset:
        return dataset


def encode(tokenizer: Any, rows: Rows) -> list[dict[str, list[int]]]:
    """Return each row as token ids and labels: the model learns the answer and the end of its turn,
    nothing of the prompt.
    """
    found = []
    for row in rows:
        turns = _turns(row)
        prompt, answer = (
            chat_tokens.prompt_ids(tokenizer, turns),
            chat_tokens.answer_ids(tokenizer, turns, row["completion"]),
        )
        found.append({"input_ids": [*prompt, *answer], "labels": [UNLEARNT] * len(prompt) + answer})
    return found


def encode_pairs(tokenizer: Any, rows: Rows) -> list[dict[str, list[int]]]:
    """Return each pair as the token ids of the prompt, of the preferred answer and of the other one."""
    found = []
    for row in rows:
        turns = _turns(row)
        sides = {side: chat_tokens.answer_ids(tokenizer, turns, row[side]) for side in ("chosen", "rejected")}
        found.append(
            {
                "prompt_ids": chat_tokens.prompt_ids(tokenizer, turns),
                **{f"{side}_ids": ids for side, ids in sides.items()},
            }
        )
    return found


def _turns(row: Mapping[str, Any]) -> list[Message]:
    return [Message(turn["role"], turn["content"]) for turn in row["prompt"]]


def _load(base: Path, recipe: CopyRecipe) -> tuple[Any, Any]:
    set_seed(recipe.seed)
    device, _ = torch_runtime.pick({})
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(
        base,
        dtype=torch.bfloat16 if device.type == "cuda" and _halves(device) else torch.float32,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
    )
    return model, tokenizer


def _halves(device: torch.device) -> bool:
    """Return whether matrices are multiplied in bfloat16; on a CPU the weights stay in float32 beside it."""
    return torch.cuda.is_bf16_supported() if device.type == "cuda" else torch_runtime.has_fast_bfloat16()


def _longest(model: Any, recipe: CopyRecipe) -> int:
    return min(recipe.max_tokens, getattr(model.config, "max_position_embeddings", None) or recipe.max_tokens)


def _short(rows: list[dict[str, list[int]]], longest: int) -> list[dict[str, list[int]]]:
    """Return the rows that fit: a cut example would teach to stop in the middle of a sentence."""

    def length(row: dict[str, list[int]]) -> int:
        if "input_ids" in row:
            return len(row["input_ids"])
        return len(row["prompt_ids"]) + max(len(row["chosen_ids"]), len(row["rejected_ids"]))

    kept = [row for row in rows if length(row) <= longest]
    if rows and not kept:
        raise PermanentError(
            f"every example is longer than {longest} tokens",
            hint="Raise max_tokens in the recipe, or take a base that reads more.",
        )
    return kept


def _counts(kept: Sequence[Sequence[Any]], given: Sequence[Rows]) -> dict[str, int]:
    return {
        "n_train": len(kept[0]),
        "n_validation": len(kept[1]),
        "n_too_long": sum(map(len, given)) - sum(map(len, kept)),
    }


def _common(recipe: CopyRecipe, work: Path, n: int, *, epochs: float, report_to: Sequence[str]) -> dict[str, Any]:
    device, _ = torch_runtime.pick({})
    n_steps = max(1, math.ceil(math.ceil(n / (recipe.batch_size * recipe.accumulate)) * epochs))
    every = max(1, math.ceil(n_steps / EVALUATIONS))
    return {
        **checkpoints.arguments(recipe, work, n_steps=n_steps, every=every, report_to=report_to),
        "num_train_epochs": epochs,
        "per_device_eval_batch_size": recipe.batch_size,
        "bf16": _halves(device),
        "use_cpu": device.type == "cpu",
        "gradient_checkpointing": False,
        "dataloader_pin_memory": device.type == "cuda",
    }


def _lora(recipe: CopyRecipe) -> Any:
    return peft.LoraConfig(
        task_type=peft.TaskType.CAUSAL_LM,
        r=recipe.lora_rank,
        lora_alpha=2 * recipe.lora_rank,
        lora_dropout=recipe.lora_dropout,
        target_modules="all-linear",
    )


def _finish(trainer: Any, tokenizer: Any, work: Path, into: Path, *, adapter: Path | None = None) -> dict[str, Any]:
    shares = shared_prompts.share(trainer.model.get_base_model())
    n_trained = sum(weight.numel() for weight in trainer.model.parameters() if weight.requires_grad)
    checkpoints.train(trainer, work)
    if launch.is_first():
        into.mkdir(parents=True, exist_ok=True)
        if adapter is not None:
            trainer.model.save_pretrained(adapter, safe_serialization=True)
        trainer.model.merge_and_unload().save_pretrained(into, safe_serialization=True)
        tokenizer.save_pretrained(into)
    state = trainer.state
    return {
        "steps": state.global_step,
        "steps_planned": state.max_steps,
        "best_eval_loss": state.best_metric,
        "best_step": state.best_global_step,
        "stopped_early": state.global_step < state.max_steps,
        "trained_parameters": n_trained,
        "shares_prompts": shares,
    }
