"""Random tampering by a superuser: all of it found, and the first bad line named. The long form is `bench/ledger.py`."""

from __future__ import annotations

import collections
import random
from pathlib import Path

import pytest
from django.db import transaction

from audit import anchors, keys, offline_verifier
from audit.export import export_ledger
from audit.models import TreeHead
from audit.verification import verify
from core.exceptions import PermanentError
from tests.audit import tampering
from tests.audit.signed import ACTOR, write_and_sign


@pytest.mark.django_db
def test_a_hundred_random_tamperings_are_found_and_the_first_bad_line_named(tmp_path: Path) -> None:
    rng = random.Random(20260)
    write_and_sign(*(rng.randint(1, 12) for _ in range(12)))
    before, public = tampering.take(), [keys.recorded()[-1].public]
    missed, counts = [], collections.Counter[str]()
    for number in range(100):
        act = tampering.ACTS[number % len(tampering.ACTS)]
        with transaction.atomic():
            done = tampering.tamper(before, rng, act)
            found = verify()
            counts[done.name] += 1
            if found.bad_seq != done.bad_seq:
                missed.append((number, done, found))
            elsewhere = offline(tmp_path / "export.jsonl", public)
            exported_up_to = TreeHead.objects.order_by("-size").values_list("size", flat=True).first() or 0
            # An export ends with the newest head: what an intruder took the heads from is missing in it.
            if elsewhere != min(done.bad_seq, exported_up_to + 1):
                missed.append((number, done, elsewhere))
            transaction.set_rollback(True)
    assert not missed
    assert len(counts) == len(tampering.ACTS)
    assert verify().is_intact


def offline(path: Path, public: list[str]) -> object:
    """What the offline verifier says about an export of the database as it is, and a copy of the second place."""
    try:
        export_ledger(path, actor=ACTOR)
    except PermanentError:  # no head is left that one could export up to: nothing to show is noticed as well
        return 1
    try:
        offline_verifier.verify(str(path), public, str(anchors.path()))
    except offline_verifier.Broken as exc:
        return exc.seq if exc.seq is not None else str(exc)
    return None


@pytest.mark.django_db
def test_tampering_with_heads_and_keys_alone_is_found(tmp_path: Path) -> None:
    rng = random.Random(7)
    write_and_sign(5, 3, 8, 2, 1)
    for _ in range(30):
        with transaction.atomic():
            way = tampering.heads_only(rng)
            found = verify()
            assert not found.is_intact, way
            assert found.bad_seq is None
            transaction.set_rollback(True)
    assert verify().is_intact
