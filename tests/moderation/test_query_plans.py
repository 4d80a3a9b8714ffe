"""Whoever looks for work finds it by an index, however much was finished before: no plan reads a table from end to end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from catalog.models import CustomerReview
from core import leases
from inference.models import ModelAlias, ModelVersion
from labeling.models import LabelingProject, LabelingTask, WebhookEvent
from labeling.question import question
from moderation import explaining, scoring
from moderation.decisions import second_reviews
from moderation.drafting import generation, requests, screening
from moderation.models.candidates import Candidate, GenerationRequest
from moderation.models.predictions import Prediction, Scoring
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out
from tests import factories
from tests.moderation.conftest import GOOD
from tests.people import people

pytestmark = pytest.mark.django_db
N = 20_000
MINUTE = dt.timedelta(minutes=1)
BIG = (GenerationRequest, Candidate, CustomerReview, Prediction, Scoring, LabelingTask, WebhookEvent, ReviewItem)


def copy(row: Any, *, source: str = f"generate_series(1, {N}) AS s (n)", **changes: str) -> None:
    """Add a row like `row` for each of `source`, in SQL; `changes` are SQL expressions over it, as `s`."""
    model = type(row)
    columns = [field.column for field in model._meta.concrete_fields if field.get_internal_type() != "BigAutoField"]
    values = ", ".join(changes.get(column, f"r.{column}") for column in columns)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} AS r, {source} WHERE r.id = %s",
            [row.pk],
        )


@contextmanager
def plans() -> Iterator[list[str]]:
    """Collect the plan of every statement that runs in the block."""
    found: list[str] = []

    def explain(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not many and sql.lstrip().startswith(("SELECT", "WITH", "UPDATE", "DELETE")):
            execute(f"EXPLAIN {sql}", params, many, context)
            found.append("\n".join(line for (line,) in context["cursor"].fetchall()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield found


def assert_by_index(found: list[str]) -> None:
    tables = {model._meta.db_table for model in BIG}
    assert any(f" on {table}" in plan for plan in found for table in tables), "nothing was looked at"
    for plan in found:
        for table in tables:
            assert f"Seq Scan on {table}" not in plan, plan


@pytest.fixture
def much_is_done(script: Callable[..., ModelVersion], sentiment_champion: ModelVersion) -> ModelVersion:
    """A desk with `N` finished rows in each table that is worked through, and nothing that waits."""
    script(GOOD)
    product = factories.product()
    request = factories.generation_request(product_=product, status="completed", finished_at=timezone.now())
    copy(request, id="gen_random_uuid()", facts_hash="md5(s.n::text)", created_at="now() - s.n * interval '1 s'")
    draft = factories.candidate(request=request, status="rejected", screened_at=timezone.now())
    copy(draft, source="moderation_generationrequest AS s", id="gen_random_uuid()", request_id="s.id", ordinal="7")
    item = factories.review_item(draft, status="decided", decided_at=timezone.now())
    free = "(SELECT c.* FROM moderation_candidate AS c WHERE c.ordinal = 7) AS s"
    copy(
        item,
        source=free,
        id="gen_random_uuid()",
        candidate_id="s.id",
        labeling_task_id="NULL",
        about="'moderation.candidate:' || s.id",
    )
    task = factories.labeling_task("tests.thing:0", status="settled")
    copy(task, id="gen_random_uuid()", reference="'tests.thing:' || s.n", ls_task_id="100000 + s.n")
    copy(WebhookEvent.objects.create(status="processed", processed_at=timezone.now()))
    review = factories.customer_review("good, " * 80, product=product)  # as long as many are
    copy(review, id="gen_random_uuid()", external_id="'review ' || s.n", created_at="now() - s.n * interval '1 s'")
    score = factories.sentiment(review, version=sentiment_champion)
    others = f"(SELECT * FROM catalog_customerreview WHERE id <> '{review.pk}') AS s"
    copy(score, source=others, subject="'catalog.customerreview:' || s.id")
    scoring.take_in(question("sentiment"))
    Scoring.objects.update(scored_with=sentiment_champion.pk)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return sentiment_champion


def test_a_turn_of_a_drainer_or_reaper_with_nothing_to_do_reads_no_table(much_is_done, settings) -> None:
    settings.MODERATION = replace(settings.MODERATION, queue={**settings.MODERATION.queue, "gold_percent": 5})
    turns = (
        generation.drain_generation,
        screening.screen_candidates,
        scoring.score,
        explaining.explain_asked,
        requests.reap_requests,
        handing_out.reap_items,
        second_reviews.open_second_reviews,
        second_reviews.keep_gold_ready,
    )
    for turn in turns:
        with plans() as found:
            assert turn() == 0
        assert_by_index(found)


def test_a_claim_among_much_that_is_done_reads_no_table(much_is_done, settings) -> None:
    factories.generation_request()
    factories.customer_review("good")
    factories.review_item()
    with plans() as found:
        assert generation.drain_generation() == settings.MODERATION.drafts_per_request
        assert screening.screen_candidates() == settings.MODERATION.drafts_per_request
        assert scoring.score() == 1
        assert handing_out.next_item(people("Reviewer"), question="copy_verdict")
        open_tasks = LabelingTask.objects.filter(
            status="open", project=LabelingProject.objects.get(question="copy_verdict")
        )
        leases.claim(leases.claimable(open_tasks).order_by("created_at", "pk"), n=500, duration=MINUTE)
        events = WebhookEvent.objects.filter(status="received").order_by("received_at", "pk")
        leases.claim(leases.claimable(events), n=200, duration=MINUTE)
        rows = leases.claim(leases.claimable(scoring.to_score("sentiment", much_is_done.pk)), n=200, duration=MINUTE)
        assert leases.renew(rows, duration=MINUTE) == len(leases.hold_all(rows)) == leases.release(rows) == 200
    assert_by_index(found)


def test_after_a_new_champion_reviews_are_scored_again_by_index_and_after_the_way_back_only_marked(
    much_is_done: ModelVersion,
) -> None:
    newer = factories.model_version("sentiment", backend="word_count", artifact_hash="")
    with plans() as found:
        assert scoring.score() == scoring.BATCH
    assert_by_index(found)
    assert Prediction.objects.filter(model_version=newer).count() == scoring.BATCH
    ModelAlias.objects.filter(role="sentiment", name="champion").update(version=much_is_done)
    assert [scoring.score(), scoring.score()] == [scoring.BATCH, 0]
    assert Prediction.objects.filter(model_version=much_is_done).count() == N + 1
