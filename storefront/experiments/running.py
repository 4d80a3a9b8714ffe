"""Who sees which arm now: designs read every few seconds, assignment pure, and only what is live."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from catalog.models import CONTROL, PublishedCopy
from catalog.slots import Slot
from storefront import assignment
from storefront.assignment import Design
from storefront.models.experiments import Experiment, ExperimentUnit

RECOMMENDATIONS: Final = Experiment.Subject.RECOMMENDATIONS.value
# How long a process goes on with the designs it has read: so long a paused experiment may still be shown.
KEPT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Assigned:
    """The arm of a unit: the live copy's `variant` for `audience`, or the name of a recommender in `variant`."""

    experiment: int
    arm: str
    variant: str
    audience: str = ""


@dataclass(frozen=True, slots=True)
class _Running:
    pk: int
    subject: str
    place: tuple[str, str, str]  # channel, locale, audience
    products: frozenset[int] | None
    design: Design
    shown: Mapping[str, tuple[str, str]]  # arm: what it shows, for which audience
    holdout: float
    shares: tuple[float, ...] | None  # of a bandit's arms, by their order


class _Kept:
    """The designs that this process has read last."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.read_at = -KEPT_S
        self.found: tuple[_Running, ...] = ()

    def get(self) -> tuple[_Running, ...]:
        if time.monotonic() - self.read_at >= KEPT_S:
            found = _read()
            with self.lock:
                self.found, self.read_at = found, time.monotonic()
        return self.found


_kept = _Kept()


def forget_designs() -> None:
    """Read the designs anew at the next assignment of this process."""
    _kept.read_at = -KEPT_S


def assigned(subject: Slot | str, unit: str, *, live: Collection[tuple[str, str]] | None = None) -> Assigned | None:
    """Return what `unit` is shown in a slot, or of the subject "recommendations"; None: no experiment applies.

    `unit` is a pseudonym (`shoppers.unit_of`); nobody known and who is held out from all experiments are in none. In a
    slot an experiment applies only where the copy of all its arms is live: left out in one arm alone, products would
    be compared and not texts. `live` is what is live there as (variant, audience), where the caller knows.
    """
    if not unit or is_held_out(unit):
        return None
    for running in _kept.get():
        if not _is_about(running, subject):
            continue
        arm = _arm_of(running, unit)
        if arm is None:
            continue
        if isinstance(subject, Slot) and not set(running.shown.values()) <= set(_live(subject, live)):
            return None
        variant, audience = running.shown[arm]
        return Assigned(running.pk, arm, variant, audience)
    return None


def is_held_out(unit: str) -> bool:
    """Return whether `unit` is of the part of all shoppers (EXPERIMENT_HOLDOUT) to whom nothing new is shown."""
    share = settings.EXPERIMENTS.holdout
    return share > 0 and assignment.is_held_out(unit, share=share)


def is_in_holdout(salt: str, unit: str, *, holdout: float) -> bool:
    """Return whether `unit` is of the part of a bandit's units that claims come from: by lot, for good."""
    return assignment.is_held_out(unit, share=holdout, salt=salt)


def _is_about(running: _Running, subject: Slot | str) -> bool:
    if not isinstance(subject, Slot):
        return running.subject == subject
    if running.subject == RECOMMENDATIONS or running.place != (subject.channel, subject.locale, subject.audience):
        return False
    return running.products is None or subject.product.pk in running.products


def _arm_of(running: _Running, unit: str) -> str | None:
    design = running.design
    found = assignment.assign(design, unit)
    if found is None or running.shares is None:
        return None if found is None else found.name
    # A bandit: by lot and equally split for good in the holdout; else where they are, else as traffic is split now.
    if is_in_holdout(design.salt, unit, holdout=running.holdout):
        return found.name
    seat = ExperimentUnit.objects.filter(experiment_id=running.pk, unit=unit).values_list("arm", flat=True).first()
    if seat is not None:
        return seat
    arms = [assignment.Arm(arm.name, share) for arm, share in zip(design.arms, running.shares, strict=True)]
    now = assignment.assign(Design(f"{design.salt}.rest", design.layer, design.first, design.share, arms), unit)
    return None if now is None else now.name


def _live(slot: Slot, given: Collection[tuple[str, str]] | None) -> Collection[tuple[str, str]]:
    if given is not None:
        return given
    there = PublishedCopy.objects.filter(
        product=slot.product,
        channel=slot.channel,
        locale=slot.locale,
        audience__in={slot.audience, ""},
        retired_at=None,
    )
    return set(there.values_list("variant", "audience"))


def _read() -> tuple[_Running, ...]:
    running = Experiment.objects.filter(status=Experiment.Status.RUNNING).order_by("id")
    return tuple(_design_of(one) for one in running.prefetch_related("arms", "products"))


def _design_of(one: Experiment) -> _Running:
    arms = list(one.arms.all())
    products = frozenset(product.pk for product in one.products.all())
    is_bandit = one.mode == Experiment.Mode.BANDIT
    return _Running(
        pk=one.pk,
        subject=one.subject,
        place=(one.channel, one.locale, one.audience),
        products=products or None,
        design=Design(
            one.salt,
            one.layer,
            one.first or 0,
            one.share,
            [assignment.Arm(arm.name, arm.weight) for arm in arms],
        ),
        shown={arm.name: _shown(one, arm.name, arm.variant, arm.recommender) for arm in arms},
        holdout=one.holdout,
        shares=tuple(float(one.allocation.get(arm.name, 1 / len(arms))) for arm in arms) if is_bandit else None,
    )


def _shown(one: Experiment, arm: str, variant: str, recommender: str) -> tuple[str, str]:
    if one.subject == Experiment.Subject.RECOMMENDATIONS:
        return recommender, ""
    if one.subject == Experiment.Subject.AUDIENCE:
        return CONTROL, "" if arm == CONTROL else one.audience
    return variant, one.audience
