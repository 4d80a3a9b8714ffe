"""Fine-tune a BERT-like encoder to classify texts: all weights, LoRA, AdaLoRA or a prefix.

The best epoch on the validation part is kept; training ends early when that stops getting better. It resumes from its
last checkpoint, with the same random numbers, so an interrupted run ends where an uninterrupted one does. LoRA and
AdaLoRA are merged into the weights, so that serving needs no adapter; a prefix cannot be, and is kept beside them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import peft
import torch
from sklearn.metrics import accuracy_score, f1_score
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    EarlyStoppingCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from inference import several
from inference.backends import torch_runtime
from inference.backends.sequence_classifier import ADAPTER
from training.recipes import Recipe
from training.trainers import bounds, checkpoints, launch
from training.trainers.contracts import Labelled, Rows, Ticked, Watch, unwatched

# Evaluated this often: an epoch of a large set is long, and one of a small set is only a few steps.
EVALUATIONS, FEWEST_STEPS = 12, 10


def fit(
    train: Rows,
    validation: Rows,
    *,
    labels: Sequence[str],
    recipe: Recipe,
    base: Path,
    work: Path,
    into: Path,
    watch: Watch = unwatched,
    report_to: Sequence[str] = (),
) -> dict[str, Any]:
    """Write a model directory for the back end `sequence_classifier` into `into`; return what was measured on the way.

    Of texts of which several answers may hold (`Ticked`) it learns each as a yes or no of its own, and from which
    probability on each is said is chosen on the validation part.

    `recipe` is settled (`recipes.resolve_defaults`); `work` holds checkpoints, and those that are there are gone on
    from; `report_to` are trackers that transformers knows: TensorBoard's files come to lie in `work`/runs.
    """
    set_seed(recipe.seed)
    is_several = isinstance(train, Ticked)
    device, _ = torch_runtime.pick({"dtype": "float32"})
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    steps = math.ceil(len(train) / (recipe.batch_size * recipe.accumulate))
    n_steps = max(1, math.ceil(steps * recipe.epochs))
    every = max(FEWEST_STEPS, math.ceil(n_steps / EVALUATIONS))
    arguments = TrainingArguments(
        **checkpoints.arguments(recipe, work, n_steps=n_steps, every=every, report_to=report_to),
        num_train_epochs=recipe.epochs,
        learning_rate=recipe.learning_rate,
        per_device_eval_batch_size=64,
        bf16=device.type == "cuda" and torch.cuda.is_bf16_supported(),
        use_cpu=device.type == "cpu",
        dataloader_pin_memory=device.type == "cuda",
    )
    trainer = _Weighted(
        model=_model(base, labels, recipe, n_steps, is_several=is_several),
        args=arguments,
        processing_class=tokenizer,
        train_dataset=_Encoded(train, tokenizer, recipe.max_tokens),
        eval_dataset=_Encoded(validation, tokenizer, recipe.max_tokens),
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=_metrics_of_several if is_several else _metrics,
        callbacks=[EarlyStoppingCallback(recipe.patience), checkpoints.Reporter(watch)],
    )
    if recipe.class_weights:
        trainer.weights = _weights(train, n_labels=len(labels))
    if recipe.method == "adalora":
        trainer.add_callback(_Budget())
    n_trained = sum(weight.numel() for weight in trainer.model.parameters() if weight.requires_grad)
    checkpoints.train(trainer, work)
    found = _bounds(trainer, validation, labels) if is_several else {}  # of every process: each reads its share
    if launch.is_first():
        _save(trainer.model, tokenizer, into)
        if found:
            several.write(into, found)
    best = trainer.state.best_metric
    return {
        **({"bounds": found} if found else {}),
        "steps": trainer.state.global_step,
        "steps_planned": n_steps,
        "best_eval_loss": best,
        "best_step": trainer.state.best_global_step,
        "stopped_early": trainer.state.global_step < n_steps,
        "trained_parameters": n_trained,
    }


class _Budget(TrainerCallback):  # type: ignore[misc]
    """AdaLoRA moves its budget between layers after each step, while the gradients are there."""

    def on_optimizer_step(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        model.base_model.update_and_allocate(state.global_step)


class _Encoded(torch.utils.data.Dataset[dict[str, Any]]):
    def __init__(self, rows: Labelled | Ticked, tokenizer: Any, max_tokens: int) -> None:
        texts = list(rows.texts)
        self.encoded = tokenizer(texts, truncation=True, max_length=max_tokens) if texts else {"input_ids": []}
        self.labels = rows.labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, Any]:
        label = self.labels[index]
        said = [float(tick) for tick in label] if isinstance(label, tuple) else int(label)
        return {**{name: values[index] for name, values in self.encoded.items()}, "labels": said}


class _Weighted(Trainer):  # type: ignore[misc]
    """Cross-entropy in which an error may cost more for one label than for another; of several, for a missed one."""

    weights: torch.Tensor | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The loss of each batch is a mean already, so accumulated ones are to be divided by how many they are.
        self.model_accepts_loss_kwargs = False

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, **kwargs: Any) -> Any:
        if self.weights is None:
            return super().compute_loss(model, inputs, return_outputs=return_outputs, **kwargs)
        outputs = model(**{name: value for name, value in inputs.items() if name != "labels"})
        weights, said = self.weights.to(outputs.logits.device), inputs["labels"]
        if said.ndim > 1:
            loss = torch.nn.functional.binary_cross_entropy_with_logits(outputs.logits, said, pos_weight=weights)
        else:
            loss = torch.nn.functional.cross_entropy(outputs.logits, said, weight=weights)
        return (loss, outputs) if return_outputs else loss


def _weights(rows: Rows, *, n_labels: int) -> torch.Tensor:
    """Return what an error costs on a text of each label, as if all were as many; of several, where it holds."""
    if isinstance(rows, Ticked):
        n_yes = np.asarray(rows.labels).sum(axis=0)
        return torch.tensor((len(rows) - n_yes) / np.maximum(n_yes, 1), dtype=torch.float32)
    counts = np.bincount(np.asarray(rows.labels), minlength=n_labels)
    return torch.tensor(len(rows) / (n_labels * np.maximum(counts, 1)), dtype=torch.float32)


def _bounds(trainer: Trainer, validation: Rows, labels: Sequence[str]) -> dict[str, float]:
    """Return from which probability on each of several answers is said, by the validation part."""
    if not len(validation):
        return dict.fromkeys(labels, several.USUAL)
    logits = np.asarray(trainer.predict(trainer.eval_dataset).predictions, dtype=np.float64)
    said, truth = 1 / (1 + np.exp(-np.clip(logits, -500, 500))), np.asarray(validation.labels, dtype=bool)
    return {label: bounds.choose(said[:, place], truth[:, place]) for place, label in enumerate(labels)}


def _metrics(found: Any) -> dict[str, float]:
    predicted = np.asarray(found.predictions).argmax(axis=1)
    return {
        "accuracy": float(accuracy_score(found.label_ids, predicted)),
        "macro_f1": float(f1_score(found.label_ids, predicted, average="macro", zero_division=0)),
    }


def _metrics_of_several(found: Any) -> dict[str, float]:
    """Return how often all answers to a text are right, and the mean of the answers' F1."""
    predicted, truth = np.asarray(found.predictions) > 0, np.asarray(found.label_ids) > 0
    return {
        "accuracy": float((predicted == truth).all(axis=1).mean()),
        "macro_f1": float(f1_score(truth, predicted, average="macro", zero_division=0)),
    }


def _model(base: Path, labels: Sequence[str], recipe: Recipe, n_steps: int, *, is_several: bool = False) -> Any:
    config = AutoConfig.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    config.num_labels = len(labels)
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: i for i, label in enumerate(labels)}
    config.problem_type = f"{'multi' if is_several else 'single'}_label_classification"
    if recipe.dropout >= 0:
        config.hidden_dropout_prob = config.attention_probs_dropout_prob = recipe.dropout
    model = AutoModelForSequenceClassification.from_pretrained(
        base,
        config=config,
        dtype=torch.float32,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        ignore_mismatched_sizes=True,
    )
    adapter = _ADAPTERS.get(recipe.method)
    return model if adapter is None else peft.get_peft_model(model, adapter(recipe, model, n_steps))


def _heads(model: Any) -> list[str]:
    """Return the layers above the encoder, which are new or nearly so and are trained whole."""
    names = {name for name, _ in model.named_modules() if "." not in name} | {"pooler"}
    inside = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    return [name for name in ("classifier", "pooler", "pre_classifier", "score") if name in names & inside]


def _targets(model: Any) -> list[str]:
    """Return every linear layer of the encoder, whatever the architecture calls them."""
    heads = set(_heads(model))
    layers = [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)]
    return [name for name in layers if not heads & set(name.split("."))]


def _lora(recipe: Recipe, model: Any, n_steps: int) -> Any:
    return peft.LoraConfig(
        task_type=peft.TaskType.SEQ_CLS,
        r=recipe.lora_rank,
        lora_alpha=2 * recipe.lora_rank,
        lora_dropout=0.05,
        target_modules=_targets(model),
        modules_to_save=_heads(model),
    )


def _adalora(recipe: Recipe, model: Any, n_steps: int) -> Any:
    # It starts with more than it ends with; the budget is cut between a tenth and two thirds of the steps.
    return peft.AdaLoraConfig(
        task_type=peft.TaskType.SEQ_CLS,
        init_r=recipe.lora_rank + recipe.lora_rank // 2,
        target_r=recipe.lora_rank,
        lora_alpha=2 * recipe.lora_rank,
        tinit=n_steps // 10,
        tfinal=n_steps // 3,
        total_step=max(n_steps, 4),
        target_modules=_targets(model),
        modules_to_save=_heads(model),
    )


def _prefix(recipe: Recipe, model: Any, n_steps: int) -> Any:
    return peft.PrefixTuningConfig(
        task_type=peft.TaskType.SEQ_CLS,
        num_virtual_tokens=recipe.prefix_tokens,
        modules_to_save=_heads(model),
    )


_ADAPTERS: Mapping[str, Callable[[Recipe, Any, int], Any]] = {"lora": _lora, "adalora": _adalora, "prefix": _prefix}


def _unwrapped(model: Any) -> Any:
    """Return the base of a peft model with the layers that were trained whole in their own places."""
    base = model.get_base_model()
    for name, module in list(base.named_modules()):
        if isinstance(module, peft.utils.ModulesToSaveWrapper):
            base.set_submodule(name, module.modules_to_save[module.active_adapters[0]])
    return base


def _save(model: Any, tokenizer: Any, into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    if isinstance(model, peft.PeftModel) and model.active_peft_config.is_prompt_learning:
        model.save_pretrained(into / ADAPTER, safe_serialization=True)
        _unwrapped(model).save_pretrained(into, safe_serialization=True)
    elif isinstance(model, peft.PeftModel):
        model.merge_and_unload().save_pretrained(into, safe_serialization=True)
    else:
        model.save_pretrained(into, safe_serialization=True)
    tokenizer.save_pretrained(into)
