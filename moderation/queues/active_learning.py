"""What people are asked of what a model said: where it is unsure, the most telling first, and a share by lot.

The share by lot is drawn from everything that was scored, also from what the model is sure of: without it nobody would
know how often the sure ones are wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Exists, Max, Min, OuterRef

from inference import resolver
from inference.models import ModelVersion
from labeling.models import Label
from labeling.question import Question, asked_questions
from moderation.models.predictions import Prediction, Predictions
from moderation.models.reviews import ReviewItem
from moderation.queues import seats
from moderation.queues.rules import policy_for

Chosen = Sequence[tuple[Prediction, str]]
RANDOM, UNCERTAIN, MARKED = "random", "uncertain", "marked"
# Of so many of the unsure ones.
POOL = 1000


def doubted_questions() -> list[Question]:
    """Return the questions that a model's doubt brings before people."""
    return [asked for asked in asked_questions() if asked.backend and asked.ask_below is not None]


def choose(asked: Question, *, n: int) -> Chosen:
    """Return up to `n` predictions of the champion to ask people about, each with the strategy that chose it.

    What says anything else than the question's `asks_unless` comes first, the surest first. All that are less sure than
    its `ask_below` are asked about in the end, the most telling first. For every hundred of them `random_percent` of
    the queue's rules are drawn by lot from all that was scored.
    """
    version = resolver.find(asked.name)
    if version is None or asked.ask_below is None:
        return []
    marked, unsure = [], _unasked(asked, version).filter(confidence__lt=asked.ask_below)
    if asked.asks_unless:
        marked = list(_unasked(asked, version).exclude(label=asked.asks_unless).order_by("-confidence", "pk")[:n])
        unsure, n = unsure.filter(label=asked.asks_unless), n - len(marked)
    chosen: Chosen = [(said, MARKED) for said in marked]
    if n > 0:
        chosen = [*chosen, *_doubtful(asked, version, list(unsure.order_by("confidence")[:POOL]), n)]
    return [*chosen, *_by_lot(asked, version, chosen)]


def _doubtful(asked: Question, version: ModelVersion, pool: list[Prediction], n: int) -> Chosen:
    """Return up to `n` of `pool`, which the model is unsure of; before there are labels, of everything."""
    from labeling.quality import sampling

    if len(pool) <= n:
        chosen: Chosen = [(said, UNCERTAIN) for said in pool]
    elif (n_labelled := Label.objects.filter(question=asked.name).count()) < sampling.COLD_START:
        # The model's doubts mean little yet: from everything, not from what it doubts.
        chosen = [(said, sampling.COLD) for said in _draw(asked, version, n, but=(), seed=pool[0].pk)]
    else:
        chosen = _telling(asked, pool, n, n_labelled=n_labelled)
    return chosen


def _unasked(asked: Question, version: ModelVersion) -> Predictions:
    """What was said and nobody has given the answer to: neither a person here, nor an import."""
    labelled = Label.objects.filter(question=asked.name, subject=OuterRef("subject"))
    items = ReviewItem.objects.filter(question=asked.name, about=OuterRef("subject"), lead=None)
    said = Prediction.objects.filter(~Exists(labelled), ~Exists(items), question=asked.name, model_version=version)
    return said.about(asked.subject_model).select_related("model_version")


def _telling(asked: Question, pool: list[Prediction], n: int, *, n_labelled: int) -> Chosen:
    """Of the unsure ones, those that are most unsure and most unlike each other first."""
    from labeling.quality import sampling

    last = (
        ReviewItem.objects.filter(question=asked.name, lead=None)
        .order_by("-created_at")
        .values_list("about", flat=True)
    )
    texts = [text for text in asked.texts(list(last[: sampling.COMPARED])) if text]
    chosen = sampling.choose(
        n,
        uncertainty=_uncertainty(asked, pool),
        features=sampling.hashed(asked.texts([said.subject for said in pool])),
        asked=sampling.hashed(texts) if texts else None,
        n_labelled=n_labelled,
        seed=pool[0].pk,
        strategy=replace(sampling.SAFEST, random_share=0),
    )
    return [(pool[row], strategy) for row, strategy in chosen]


def _uncertainty(asked: Question, pool: Sequence[Prediction]) -> Any:
    """How unsure each is, 0 to 1: how close the two likeliest are; of several answers, how likely one is wrong."""
    from labeling.quality import sampling

    if asked.is_multiple:
        return [1 - said.confidence for said in pool]
    return sampling.margin([[said.probabilities.get(label, 0.0) for label in asked.labels] for said in pool])


def _by_lot(asked: Question, version: ModelVersion, chosen: Chosen) -> Chosen:
    """So many by lot, sure or not, that they are `random_percent` of all that is asked on the long run."""
    percent = policy_for(asked.name).random_percent
    if not chosen or not percent:
        return []
    seed = chosen[0][0].pk
    lacking = len(chosen) * min(percent / max(100 - percent, 1), 100)
    due = int(lacking) + (seats.draw("how many", seed) < lacking % 1)
    return [(said, RANDOM) for said in _draw(asked, version, due, but=[said.pk for said, _ in chosen], seed=seed)]


def _draw(asked: Question, version: ModelVersion, n: int, *, but: Sequence[int], seed: int) -> list[Prediction]:
    """Draw `n` of all that was said and is not asked about, other than `but`.

    The lot draws keys: what was said long ago has the same chance as what came last, and anybody can draw it again.
    """
    said = _unasked(asked, version).exclude(pk__in=but)
    ends = Prediction.objects.filter(model_version=version).aggregate(first=Min("pk"), last=Max("pk"))
    width = ends["last"] - ends["first"] + 1
    keys = dict.fromkeys(ends["first"] + int(seats.draw("next", seed, place) * width) for place in range(POOL))
    found = said.in_bulk(list(keys))
    drawn = [found[key] for key in keys if key in found]
    if len(drawn) < n:  # few are left, or said by this model: of the latest then
        latest = said.exclude(pk__in=list(found)).order_by("-pk")[:POOL]
        drawn += sorted(latest, key=lambda one: seats.draw("next", one.pk))
    return drawn[:n]
