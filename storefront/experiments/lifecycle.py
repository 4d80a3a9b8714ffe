"""The states of an experiment: the legal moves, and the functions that start, ramp, pause and stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from audit import ledger
from audit.ledger import Line
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError, StaleState
from core.lifecycle import StateTable, compare_and_set
from core.locks import take_turns
from core.reasons import require_reason
from core.refs import ref
from storefront.assignment import GRAIN
from storefront.experiments import caps
from storefront.models.experiments import Experiment

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Status, Subject = Experiment.Status, Experiment.Subject
MOVES: StateTable = {
    "draft": ("running", "decided"),
    "running": ("paused", "stopped"),
    "paused": ("running", "stopped"),
    "stopped": ("decided",),
}
LAYERS = "storefront.layers"  # who takes traffic looks at what others have taken, one at a time
SERVED = (Status.RUNNING, Status.PAUSED)


def advance(
    experiment: Experiment, *, from_: str, to: str, event: str = "", payload: dict[str, Any] | None = None, **more: Any
) -> Line:
    """Move `experiment` by compare-and-set and return the ledger line that the caller appends, last, in the same
    transaction.

    Raises `StaleState` when somebody else moved it first, `IllegalMove` when there is no such move.
    """
    if not compare_and_set(experiment, moves=MOVES, from_=from_, to=to, **more):
        raise StaleState(f"The experiment {experiment.name} is no longer {from_}; somebody else moved it first.")
    return Line(f"storefront.experiment.{event or to}", ref(experiment), {"from": from_, **(payload or {})})


def start(experiment: Experiment, *, actor: User | SystemActor) -> None:
    """Show its arms to shoppers. From now on its plan is fixed: all but its share, which may grow.

    Needs storefront.run_experiment. Raises `PermanentError` where its layer has no room, or an experiment of another
    layer runs on the same slots; `StaleState` where it is no draft any more.
    """
    require_permission(actor, "storefront.run_experiment")
    with transaction.atomic():
        take_turns(LAYERS)
        held = _held(experiment)
        _require_slots_of_its_own(held)
        first = _room_for(held, share=held.share)
        cap = held.cap if held.cap is not None else caps.cap_for(held)
        line = advance(
            experiment,
            from_=Status.DRAFT,
            to=Status.RUNNING,
            event="started",
            payload={"layer": held.layer, "first": first, "share": held.share, "cap": cap, "plan": plan_of(held)},
            first=first,
            cap=cap,
            started_at=timezone.now(),
        )
        ledger.append_many([line], actor=actor)


def ramp(experiment: Experiment, *, share: int, actor: User | SystemActor) -> None:
    """Give a running experiment more of its layer, `share` parts of 10,000: whoever is in stays in, in the same arm.

    Needs storefront.run_experiment. Raises `PermanentError` where it would be less, or there is no room behind it;
    `StaleState` where it does not run.
    """
    require_permission(actor, "storefront.run_experiment")
    with transaction.atomic():
        take_turns(LAYERS)
        held = _held(experiment)
        if held.status not in SERVED or held.first is None:
            raise StaleState(f"The experiment {held.name} does not run.")
        if not held.share < share <= GRAIN:
            raise PermanentError(
                f"A ramp goes up: {held.share / 100:g} % are in, {share / 100:g} % is not more.",
                hint="To show it to fewer, pause or stop it: who was in must stay in, in the same arm.",
            )
        _room_for(held, share=share)
        changed = Experiment.objects.filter(pk=held.pk, status__in=SERVED, share=held.share).update(share=share)
        if changed != 1:
            raise StaleState(f"The experiment {held.name} was changed by somebody else.")
        experiment.share = share
        ledger.append(
            "storefront.experiment.ramped",
            subject=ref(held),
            actor=actor,
            payload={"from": held.share, "to": share},
        )


def pause(experiment: Experiment, *, actor: User | SystemActor, reason: str) -> None:
    """Show everybody the control for a while; its traffic stays its own. Needs storefront.run_experiment, a reason."""
    _stand(experiment, actor=actor, reason=reason, from_=Status.RUNNING, to=Status.PAUSED, act="To pause")


def resume(experiment: Experiment, *, actor: User | SystemActor, reason: str) -> None:
    """Go on showing the arms. Needs storefront.run_experiment and a reason."""
    _stand(
        experiment,
        actor=actor,
        reason=reason,
        from_=Status.PAUSED,
        to=Status.RUNNING,
        act="To go on",
        event="resumed",
    )


def stop(experiment: Experiment, *, actor: User | SystemActor, reason: str) -> None:
    """End it for good: nobody new is taken in, and its traffic is free. Needs storefront.run_experiment and a reason.

    What those who are in still do within the window is counted. Raises `StaleState` where it does not run.
    """
    from_ = Status.PAUSED if experiment.status == Status.PAUSED else Status.RUNNING
    _stand(
        experiment, actor=actor, reason=reason, from_=from_, to=Status.STOPPED, act="To stop", stopped_at=timezone.now()
    )


def plan_of(experiment: Experiment) -> dict[str, Any]:
    """Return what is fixed at the start, as it stands in the ledger."""
    return {
        "subject": experiment.subject,
        "channel": experiment.channel,
        "locale": experiment.locale,
        "audience": experiment.audience,
        "n_products": experiment.products.count(),
        "mode": experiment.mode,
        "holdout": experiment.holdout,
        "method": experiment.method,
        "alpha": experiment.alpha,
        "tuned_at": experiment.tuned_at,
        "n_looks": experiment.n_looks,
        "n_planned": experiment.n_planned,
        "primary": experiment.primary,
        "matters_from": experiment.matters_from,
        "secondary": list(experiment.secondary),
        "guardrails": dict(experiment.guardrails),
        "window_s": experiment.window.total_seconds(),
        "currency": experiment.currency,
        "arms": [[arm.name, arm.variant, arm.recommender, arm.weight] for arm in experiment.arms.all()],
    }


def _stand(
    experiment: Experiment, *, actor: User | SystemActor, reason: str, from_: str, to: str, act: str, **more: Any
) -> None:
    require_permission(actor, "storefront.run_experiment")
    said = ledger.typed(require_reason(reason, act=act), by=actor)
    with transaction.atomic():
        line = advance(experiment, from_=from_, to=to, payload={"reason": said}, **more)
        ledger.append_many([line], actor=actor)


def _held(experiment: Experiment) -> Experiment:
    return Experiment.objects.select_for_update(no_key=True).get(pk=experiment.pk)


def _room_for(experiment: Experiment, *, share: int) -> int:
    """Return where in its layer the experiment begins: the first gap of `share` parts, unless that is settled."""
    others = Experiment.objects.filter(layer=experiment.layer, status__in=SERVED).exclude(pk=experiment.pk)
    taken = sorted((one.first or 0, (one.first or 0) + one.share, one.name) for one in others)
    starts = [experiment.first] if experiment.first is not None else [0, *(end for _, end, _ in taken)]
    for first in starts:
        if first + share <= GRAIN and all(end <= first or first + share <= begin for begin, end, _ in taken):
            return first
    used = ", ".join(f"{name} {begin / 100:g} to {end / 100:g} %" for begin, end, name in taken[:10])
    raise PermanentError(
        f"The layer {experiment.layer} has no room for {share / 100:g} %: {used or 'nothing runs in it'}.",
        hint="Stop one of these, take less traffic, or another layer if it is about other slots.",
    )


def _require_slots_of_its_own(experiment: Experiment) -> None:
    """Two experiments on one slot exclude one another only within one layer: a shopper sees one text in it."""
    same = Experiment.objects.filter(subject=experiment.subject, status__in=SERVED).exclude(layer=experiment.layer)
    if experiment.subject != Subject.RECOMMENDATIONS:
        place = {"channel": experiment.channel, "locale": experiment.locale, "audience": experiment.audience}
        served = Experiment.objects.filter(status__in=SERVED, **place)
        same = served.exclude(subject=Subject.RECOMMENDATIONS).exclude(layer=experiment.layer)
        if experiment.products.exists():
            ours = experiment.products.values("pk")
            same = (same.filter(products__in=ours) | same.filter(products=None)).distinct()
    if other := same.exclude(pk=experiment.pk).first():
        raise PermanentError(
            f"{other.name} runs on the same slots in the layer {other.layer}.",
            hint="Put both into one layer, where they exclude one another, or stop that one.",
        )
