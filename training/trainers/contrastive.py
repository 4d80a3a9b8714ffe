"""Learn from few labels: draw texts of one label together in the encoder, those of two apart, then fit a logistic head.

SetFit's way (Tunstall, L. et al. 2022, arXiv:2209.11055): a pair of texts is an example, so n labels are n² / 2
examples. All pairs of a batch are taken, with each text read once, and the squared error of their cosine against 1 for
one label and 0 for two. What comes of it is an artefact for `embedding_head`, as of a frozen encoder.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import set_seed

from core.exceptions import PermanentError
from inference.backends.sentence_encoder import SentenceEncoder
from training.recipes import Recipe
from training.trainers.contracts import Labelled, Watch, unwatched
from training.trainers.linear_heads import fit_embedding_head

# Texts of one label that come into a batch together, at least two where there are: without them there is no equal pair.
OF_A_LABEL = 4
FEWEST_STEPS, MOST_STEPS = 20, 30
# Of the encoder's layers this share, the upper ones, learns: few labels say nothing about what words are.
LEARNING = 0.5
# The weights kept are half way between before and after (Wortsman, M. et al. 2022, CVPR, robust fine-tuning): what was
# tuned to the end lost to the frozen encoder on 20 intents of eight texts, this did not.
KEPT = 0.5
WEIGHTS = "model.safetensors"


def fit(
    train: Labelled,
    validation: Labelled,
    *,
    labels: Sequence[str],
    recipe: Recipe,
    base: Path,
    work: Path,
    into: Path,
    watch: Watch = unwatched,
    reading: Watch = unwatched,
) -> dict[str, Any]:
    """Write a model directory for the back end `embedding_head` into `into`; return what was measured on the way.

    `recipe` is settled. Nothing is chosen by the validation part, so it is learnt from as well. `work` holds the tuned
    encoder until it is copied. Raises `PermanentError` where fewer than two labels occur.
    """
    everything = Labelled([*train.texts, *validation.texts], [*train.labels, *validation.labels])
    tuned = work / "encoder"
    figures = tune(everything, recipe=recipe, base=base, into=tuned, watch=watch)
    encoder = SentenceEncoder(directory=tuned, options={"max_tokens": recipe.max_tokens, "dtype": "float32"})
    head = fit_embedding_head(
        everything,
        Labelled([], []),
        labels=labels,
        recipe=recipe,
        encoder=encoder,
        encoder_directory=tuned,
        into=into,
        by_folds=False,
        reading=reading,
    )
    shutil.rmtree(tuned)
    return {**head, **figures}


def tune(rows: Labelled, *, recipe: Recipe, base: Path, into: Path, watch: Watch = unwatched) -> dict[str, Any]:
    """Write a copy of the encoder in `base` to `into` that tells the labels of `rows` apart; return steps and last
    loss.

    The same seed and number of threads give the same weights. Only the encoder's weights change: its tokenizer and
    configuration are copied.
    """
    if len(set(rows.labels)) < 2:
        raise PermanentError("texts of one label alone teach nothing to tell apart", hint="Label texts of another one.")
    set_seed(recipe.seed)
    encoder = SentenceEncoder(directory=base, options={"dtype": "float32", "max_tokens": recipe.max_tokens})
    # Its dropout stays off: with few steps it costs accuracy, and the pairs differ enough.
    model = encoder.model.eval()
    encoded = encoder.tokenizer(list(rows.texts), truncation=True, max_length=recipe.max_tokens)
    n_steps = steps_for(len(rows), recipe)
    learning = _learning(model)
    begun = [weight.detach().clone() for weight in learning]
    optimizer = torch.optim.AdamW(learning, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    warm = max(1, round(recipe.warmup * n_steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, max(0.0, (n_steps - step) / max(1, n_steps - warm)))
    )
    loss_of_step = math.nan
    for step, batch in enumerate(batches(rows.labels, size=recipe.batch_size, n=n_steps, seed=recipe.seed), 1):
        inputs = encoder.tokenizer.pad(
            {name: [values[i] for i in batch] for name, values in encoded.items()}, return_tensors="pt"
        ).to(encoder.device)
        vectors = _pooled(model(**inputs).last_hidden_state, inputs["attention_mask"])
        loss = pair_loss(vectors, torch.tensor([rows.labels[i] for i in batch], device=vectors.device))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        schedule.step()
        loss_of_step = float(loss.detach())
        watch(step, n_steps, {"loss": loss_of_step})
    shutil.copytree(base, into, dirs_exist_ok=True, ignore=shutil.ignore_patterns("manifest.json", "*.bin", WEIGHTS))
    with torch.no_grad():
        for weight, before in zip(learning, begun, strict=True):
            weight.lerp_(before, 1 - KEPT)
    weights = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    save_file(weights, into / WEIGHTS, metadata={"format": "pt"})
    return {
        "steps": n_steps,
        "last_loss": round(loss_of_step, 5),
        "trained_parameters": sum(value.numel() for value in learning),
    }


def _learning(model: torch.nn.Module) -> list[torch.nn.Parameter]:
    """Return the weights of the upper layers, and have no others learn;
    all weights of a model without a row of layers.
    """
    rows = [module for module in model.modules() if isinstance(module, torch.nn.ModuleList)]
    if not rows:
        return list(model.parameters())
    layers = max(rows, key=len)
    model.requires_grad_(False)
    upper = layers[len(layers) - max(1, round(LEARNING * len(layers))) :]
    upper.requires_grad_(True)
    return list(upper.parameters())


def steps_for(n_texts: int, recipe: Recipe) -> int:
    """Return how many batches are learnt from: `epochs` times all texts,
    within what few labels need and a CPU bears.
    """
    return min(MOST_STEPS, max(FEWEST_STEPS, math.ceil(n_texts * recipe.epochs / recipe.batch_size)))


def batches(labels: Sequence[int], *, size: int, n: int, seed: int) -> Iterator[list[int]]:
    """Yield `n` batches of places among `labels`: of each label drawn a few texts,
    so that there are pairs of both kinds.
    """
    rng = np.random.default_rng(seed)
    values = np.asarray(labels)
    places = {int(label): np.flatnonzero(values == label) for label in np.unique(values)}
    of_a_label = max(2, min(OF_A_LABEL, size // 2), size // len(places))
    for _ in range(n):
        drawn = rng.permutation(list(places))[: max(2, size // of_a_label)]
        yield [int(i) for label in drawn for i in rng.permutation(places[int(label)])[:of_a_label]]


def pair_loss(vectors: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean squared error of the cosines of all pairs of `vectors` (n, d), rows of norm 1;
    both kinds count alike.
    """
    n = len(labels)
    first, second = torch.triu_indices(n, n, offset=1, device=vectors.device)
    cosine = (vectors @ vectors.T)[first, second]
    is_equal = labels[first] == labels[second]
    parts = [
        ((cosine - target)[mask] ** 2).mean() for target, mask in ((1.0, is_equal), (0.0, ~is_equal)) if mask.any()
    ]
    return torch.stack(parts).mean()


def _pooled(hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """Return what `SentenceEncoder` makes of the token vectors: their mean, of unit length."""
    mask = attention_mask.unsqueeze(-1).float()
    return torch.nn.functional.normalize((hidden * mask).sum(dim=1) / mask.sum(dim=1).clamp_min(1e-9), dim=1)
