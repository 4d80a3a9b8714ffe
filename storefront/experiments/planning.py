"""Planning an experiment: what it takes to be one, and how many units it needs."""

from __future__ import annotations

import datetime as dt
import math
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction

from audit import ledger
from catalog.models import CONTROL, Product
from catalog.slots import require_known, require_name
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError
from core.reasons import require_reason
from core.refs import ref
from storefront.assignment import GRAIN
from storefront.experiments.lifecycle import plan_of
from storefront.experiments.metrics import Kind, metric
from storefront.models.experiments import Arm, Experiment

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Subject = Experiment.Subject
MOST_ARMS: Final = 8
MOST_PRODUCTS: Final = 10_000
MOST_UNITS: Final = 100_000_000
MOST_METRICS: Final = 6
LONGEST_WINDOW: Final = dt.timedelta(days=60)
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewArm:
    """An arm as it is planned: the live copy's `variant`, or the name of a `recommender`."""

    name: str
    variant: str = CONTROL
    recommender: str = ""
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """An experiment as a person plans it. `share` is of 10,000 parts of the layer; `matters_from` and the margins of
    guardrails are shares of the control's value; `n_planned` are units of all arms together.
    """

    name: str
    hypothesis: str
    arms: Sequence[NewArm]
    n_planned: int
    primary: str = "click_share"
    matters_from: float = 0.02
    subject: str = Subject.COPY
    channel: str = ""
    locale: str = ""
    audience: str = ""
    skus: Sequence[str] = ()
    layer: str = "default"
    share: int = GRAIN
    mode: str = Experiment.Mode.FIXED
    holdout: float = 0.0
    method: str = Experiment.Method.SEQUENCE
    alpha: float = 0.05
    tuned_at: float = 0.5
    n_looks: int = 5
    secondary: Sequence[str] = ()
    guardrails: Mapping[str, float] = field(default_factory=dict)
    window: dt.timedelta = dt.timedelta(days=7)
    currency: str = ""
    tail: float = 0.99
    cap: float | None = None


def draft(plan: Plan, *, actor: User | SystemActor) -> Experiment:
    """Keep `plan` as a draft, which shows nobody anything. Needs storefront.run_experiment.

    Raises `PermanentError`, saying what to change, for a plan that is none.
    """
    require_permission(actor, "storefront.run_experiment")
    hypothesis = require_reason(plan.hypothesis, act="An experiment", hint="Say what you expect, and why.")
    _check(plan)
    products = _products(plan.skus)
    values = {
        name: getattr(plan, name)
        for name in Plan.__slots__
        if name not in ("arms", "skus", "hypothesis", "secondary", "guardrails")
    }
    try:
        with transaction.atomic():
            made = Experiment.objects.create(
                **values,
                hypothesis=hypothesis,
                secondary=list(plan.secondary),
                guardrails={name: float(margin) for name, margin in plan.guardrails.items()},
                salt=secrets.token_hex(16),
                created_by=None if isinstance(actor, SystemActor) else actor,
            )
            Arm.objects.bulk_create(
                Arm(
                    experiment=made,
                    position=position,
                    name=arm.name,
                    variant=arm.variant,
                    recommender=arm.recommender,
                    weight=arm.weight,
                )
                for position, arm in enumerate(plan.arms)
            )
            made.products.set(products)
            payload = {"plan": plan_of(made), "hypothesis": ledger.typed(hypothesis, by=actor)}
            ledger.append("storefront.experiment.planned", subject=ref(made), actor=actor, payload=payload)
    except IntegrityError as exc:
        if "name" not in str(exc):
            raise
        raise PermanentError(f"There is an experiment {plan.name} already.", hint="Give it another name.") from None
    return made


def _check(plan: Plan) -> None:
    for name, what in ((plan.name, "an experiment"), (plan.layer, "a layer"), *((a.name, "an arm") for a in plan.arms)):
        require_name(name, what=what)
    for choices, value in (
        (Experiment.Subject, plan.subject),
        (Experiment.Mode, plan.mode),
        (Experiment.Method, plan.method),
    ):
        if value not in choices.values:
            raise PermanentError(f"Unknown: {value[:40]}.", hint=f"Choose from {', '.join(choices.values)}.")
    if plan.subject == Subject.RECOMMENDATIONS:
        if plan.channel or plan.locale or plan.audience or plan.skus:
            raise PermanentError(
                "An experiment on recommendations has no slots.",
                hint="Leave channel, locale, audience and products empty.",
            )
    else:
        require_known(channel=plan.channel, locale=plan.locale, audience=plan.audience)
        if plan.subject == Subject.AUDIENCE and not plan.audience:
            raise PermanentError("Say which audience's copy is compared with that for everybody.")
    _check_arms(plan)
    _check_figures(plan)


def _check_arms(plan: Plan) -> None:
    names = [arm.name for arm in plan.arms]
    if not 2 <= len(names) <= MOST_ARMS or len(set(names)) != len(names) or names[0] != CONTROL:
        raise PermanentError(f"2 to {MOST_ARMS} arms with names of their own are needed, the first called {CONTROL}.")
    if any(not (math.isfinite(arm.weight) and 0.001 <= arm.weight <= 1000) for arm in plan.arms):
        raise PermanentError("The weight of an arm is between 0.001 and 1,000.")
    if plan.subject == Subject.RECOMMENDATIONS:
        shown = [arm.recommender for arm in plan.arms]
    else:
        shown = [arm.variant for arm in plan.arms]
    for one in shown:
        require_name(one, what="a recommender" if plan.subject == Subject.RECOMMENDATIONS else "a variant")
    if plan.subject == Subject.AUDIENCE:
        if len(names) != 2 or set(shown) != {CONTROL}:
            raise PermanentError("An experiment on an audience has two arms: everybody's text, and the audience's.")
    elif len(set(shown)) != len(shown):
        raise PermanentError("Two arms would show the same.", hint="Give each arm a variant or recommender of its own.")
    elif plan.subject == Subject.COPY and plan.arms[0].variant != CONTROL:
        raise PermanentError(f"The control shows the variant {CONTROL}: what everybody else sees.")


def _check_figures(plan: Plan) -> None:
    used = [metric(name) for name in (plan.primary, *plan.secondary, *plan.guardrails)]
    if len(plan.secondary) > MOST_METRICS or len(plan.guardrails) > MOST_METRICS or plan.primary in plan.secondary:
        raise PermanentError(
            f"Up to {MOST_METRICS} secondary metrics and guardrails; the primary is none of the first."
        )
    bounds = {
        "The share of the layer": (plan.share, 1, GRAIN),
        "The number of units": (plan.n_planned, 100, MOST_UNITS),
        "Alpha": (plan.alpha, 0.001, 0.2),
        "Where the sequence is narrowest": (plan.tuned_at, 0.05, 2),
        "The number of looks": (plan.n_looks, 1, 20),
        "The difference that matters": (plan.matters_from, 0.0001, 1),
        "The tail": (plan.tail, 0.5, 1),
        "The holdout": (plan.holdout, 0, 0.9),
        **{f"The margin of {name}": (margin, 0, 1) for name, margin in plan.guardrails.items()},
    }
    if plan.cap is not None:
        bounds["The cap"] = (plan.cap, 0.01, 1e9)
    for what, (value, low, high) in bounds.items():
        if not (math.isfinite(value) and low <= value <= high):
            raise PermanentError(f"{what} is between {low:,} and {high:,}, not {value}.")
    if not dt.timedelta(0) < plan.window <= LONGEST_WINDOW:
        raise PermanentError(f"The window of outcomes is between a second and {LONGEST_WINDOW.days} days.")
    if plan.currency and not _CURRENCY.fullmatch(plan.currency):
        raise PermanentError("A currency is three capital letters, such as EUR.")
    if any(one.above == "revenue" for one in used) and not plan.currency:
        raise PermanentError("Revenue is in one currency.", hint="Say in which, such as EUR.")
    if plan.mode == Experiment.Mode.BANDIT:
        if plan.holdout < 0.02:
            raise PermanentError(
                "A bandit needs a holdout of 2 % at least: claims come from it alone.", hint="10 % is usual."
            )
        if metric(plan.primary).kind is Kind.RATIO or any(arm.weight != plan.arms[0].weight for arm in plan.arms):
            raise PermanentError("A bandit goes by a share or a mean of units, and splits its holdout equally.")
        if not metric(plan.primary).higher_is_better:
            raise PermanentError("A bandit goes by a metric of which more is better.")


def _products(skus: Sequence[str]) -> list[Product]:
    wanted = list(dict.fromkeys(skus))
    if len(wanted) > MOST_PRODUCTS:
        raise PermanentError(f"An experiment is on {MOST_PRODUCTS:,} products at most, or on all of them.")
    if any("\0" in sku or len(sku) > 200 for sku in wanted):
        raise PermanentError("One of the skus is none.")
    found = {product.sku: product for product in Product.objects.filter(sku__in=wanted)}
    if missing := [sku for sku in wanted if sku not in found]:
        raise PermanentError(f"There is no product {', '.join(missing[:5])}{' …' if len(missing) > 5 else ''}.")
    return [found[sku] for sku in wanted]
