"""Texts that nobody labelled, for recipes that ask: surely guessed ones to learn from, texts to pretrain on.

Off unless a recipe says so. What comes of them is kept in the run's folder until the run ends, so that one that is
resumed goes on with the very same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from core.refs import ref
from labeling.question import answered_by_models
from labeling.subject import Subject, subject_of
from questions import eligibility
from training import bases, pseudo_labels
from training.bases import Base
from training.partition import LEARNT
from training.recipes import Recipe
from training.trainers.contracts import Labelled, Watch
from training.work import Work

# The latest so many rows are looked at: reading them takes a CPU minutes.
MOST = 5000


def texts_for(work: Work) -> list[str]:
    """Return the unlabelled texts that the recipe of `work` may use beside its snapshot; nothing where it asks for
    none, or is about what does not come from outside by itself.

    None is about a product that is tested on, nor a near copy of a tested text; none holds personal data or came with a
    barred feed.
    """
    recipe, rows = work.recipe, work.parts
    assert isinstance(recipe, Recipe)  # noqa: S101
    about = {one.name: subject_of(one.about) for one in answered_by_models()}.get(work.task)
    if not (recipe.pseudo_labels or recipe.pretrain_steps) or about is None or not about.is_scored_as_it_comes:
        return []
    labelled = {row.subject for part in rows.values() for row in part}
    found = list(_unlabelled(about, labelled, [row.subject for row in rows["test"]]))
    known = [row.text for part in LEARNT for row in rows[part]]
    return pseudo_labels.untested(found, tested=[row.text for row in rows["test"]], labelled=known)


def _unlabelled(about: Subject, labelled: set[str], tested: Sequence[str]) -> Iterator[str]:
    barred = {product.pk for row in about.rows(tested).values() if (product := about.product(row))}
    latest = about.all().select_related(*about.joined).prefetch_related(*about.fetched)
    for row in latest.order_by(f"-{about.came}", "pk")[:MOST]:
        text, product = eligibility.clean(about.text(row)), about.product(row)
        if (
            ref(row) in labelled
            or (product is not None and product.pk in barred)
            or not text
            or eligibility.holds_personal_data(text)
        ):
            continue
        if not eligibility.is_barred(product):
            yield text


def pretrained(texts: Sequence[str], recipe: Recipe, base: Base, folder: Path, watch: Watch) -> Base:
    """Return `base` after `pretrain_steps` on `texts`; `base` itself where the recipe asks for none."""
    if not recipe.pretrain_steps or recipe.method == "characters":
        return base
    from training.trainers import masked_language

    fit = partial(
        masked_language.pretrain,
        texts,
        base=base.directory,
        steps=recipe.pretrain_steps,
        seed=recipe.seed,
        max_tokens=recipe.max_tokens,
        watch=watch,
    )
    bases.memoised_step(folder / "pretrained", lambda into: fit(into=into))
    return replace(base, directory=folder / "pretrained" / "model")


def with_guesses(
    train: Labelled, texts: Sequence[str], labels: Sequence[str], recipe: Recipe, base: Base, folder: Path
) -> Labelled:
    """Return `train` and the texts that a first model, a head on `base`, is surer of than `pseudo_labels`."""
    if not recipe.pseudo_labels or not texts or recipe.method == "characters":
        return train

    def guess(into: Path) -> dict[str, Any]:
        import numpy as np

        from inference.backends.linear_heads import EmbeddingHead
        from inference.backends.sentence_encoder import SentenceEncoder
        from training.trainers.linear_heads import fit_embedding_head

        encoder = SentenceEncoder(directory=base.directory, options={"max_tokens": recipe.max_tokens})
        fit_embedding_head(
            train,
            Labelled([], []),
            labels=labels,
            recipe=recipe,
            encoder=encoder,
            encoder_directory=base.directory,
            into=into,
        )
        first = EmbeddingHead(directory=into, options={"max_tokens": recipe.max_tokens})

        def says(asked: Sequence[str]) -> Any:
            return np.array([[answer.probabilities[label] for label in labels] for answer in first.classify(asked)])

        found = pseudo_labels.add(train, texts, says, threshold=recipe.pseudo_labels)
        return {"texts": list(found.texts), "labels": list(found.labels)}

    kept = bases.memoised_step(folder / "guessed", guess)
    return Labelled(kept["texts"], kept["labels"])
