"""Real catalogues in, drafts of the real model out, every one screened and its best in a person's queue."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audit.verification import verify
from catalog.importing import import_products
from catalog.models import Product
from core.actors import SystemActor
from ecomsite.env import BASE_DIR
from moderation.decisions import settling
from moderation.drafting import generation, ordering, screening
from moderation.models.candidates import Candidate, GenerationRequest
from moderation.models.reviews import ReviewItem
from tests.model_store import PreparedModels, prepared_models
from training.preparation import prepare

__all__ = ["prepared_models"]
DATA = Path(os.environ.get("ECOMSITE_DATA_DIR", BASE_DIR.parent / "shared" / "data"))
MAPPINGS = BASE_DIR / "tests" / "catalog" / "mappings"
ACTOR = SystemActor("tests")
FEEDS = {"amazon_products_1k": ("amazon_products.toml", 700), "abtbuy_crowd": ("abtbuy_products.toml", 2173)}


@pytest.mark.slow("the model that ships writes for 4 products")
@pytest.mark.model
@pytest.mark.timeout(900)
@pytest.mark.django_db
@pytest.mark.parametrize("ordered", [4, pytest.param(50, marks=pytest.mark.long)])
def test_copy_for_products_of_real_catalogues(ordered: int, prepared_models: PreparedModels, settings: Any) -> None:
    # The heart beats from a connection of its own, which does not see this transaction: on a busy machine a batch may take
    # longer than the lease.
    settings.LEASES = replace(settings.LEASES, work=dt.timedelta(minutes=30))
    if missing := [name for name in FEEDS if not (DATA / name / "products.csv").exists()]:
        pytest.skip(f"no real data: {', '.join(missing)} (set ECOMSITE_DATA_DIR)")
    for name, (mapping, n) in FEEDS.items():
        run = import_products(DATA / name / "products.csv", mapping=MAPPINGS / mapping, actor=ACTOR)
        assert (run.n_created + run.n_duplicates, run.n_bad) == (n, 0)
    prepare()
    described = Product.objects.filter(facts__isnull=False).distinct().order_by("-sku")[:ordered]
    # The shortest channel and one draft each: the same path as for descriptions, in a minute on two cores.
    requested = ordering.request_copy(described, channels=["ad_slogan"], locales=["en"], actor=ACTOR, n_candidates=1)
    assert len(requested.created) == ordered
    while generation.drain_generation(limit=25):
        while screening.screen_candidates():
            pass
    assert GenerationRequest.objects.filter(status="completed").count() == ordered
    drafts = Candidate.objects.all()
    assert drafts.count() == ordered
    assert not drafts.filter(screened_at=None).exists()
    assert drafts.filter(model_version__name__startswith="SmolLM2", completion_tokens__gt=0).count() == ordered
    n_in_review = drafts.filter(status="in_review").count()
    assert n_in_review + drafts.filter(status="blocked").count() == ordered
    assert n_in_review >= ordered / 2, "most drafts of the shipped model are fit to be looked at"
    settling.open_reviews()
    assert ReviewItem.objects.filter(question="copy_verdict").count() == n_in_review
    assert verify().is_intact
