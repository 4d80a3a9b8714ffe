"""The numbers of the desk."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from ecomsite.console import charts
from moderation.models.candidates import GenerationRequest
from monitoring import dashboard
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_an_empty_desk_is_all_zeros() -> None:
    desk = dashboard.desk()
    assert [stage.count for stage in desk.stages] == [0, 0, 0, 0, 0]
    assert charts.shares(desk.sentiment) == []
    assert charts.hour_bars(desk.hours)[1] == 0


def test_stages_count_what_waits_and_how_long() -> None:
    order = make.generation_request()
    GenerationRequest.objects.filter(pk=order.pk).update(created_at=timezone.now() - dt.timedelta(hours=3))
    make.candidate(status="generated")
    make.candidate(status="in_review")
    make.published_copy()
    stages = {stage.key: stage for stage in dashboard.stages()}
    assert {key: stage.count for key, stage in stages.items()} == {
        "queued": 1,
        "generating": 0,
        "drafts": 1,
        "in_review": 1,
        "published": 1,
    }
    assert stages["queued"].oldest is not None
    assert stages["queued"].oldest > dt.timedelta(hours=2, minutes=59)


def test_an_item_counts_as_waiting_once_it_stands_in_label_studio() -> None:
    make.review_item(make.candidate(status="in_review"))
    make.review_item(make.candidate(status="in_review"), pushed=False)
    copy = dashboard.queues()[0]
    assert (copy.waiting, copy.on_the_way) == (1, 1)


def test_sentiment_counts_each_review_once_by_its_latest_score() -> None:
    review = make.customer_review()
    make.sentiment(review, "negative", version=make.model_version("sentiment"))
    make.sentiment(review, "positive", version=make.model_version("sentiment"))
    make.customer_review()
    assert dict(dashboard.sentiment()) == {"positive": 1, "neutral": 0, "negative": 0}
    assert dashboard.desk().n_reviews_unscored == 1


def test_the_chart_covers_the_last_24_hours() -> None:
    make.candidate()
    hours = dashboard.hours()
    assert len(hours) == 24
    assert hours[-1][1] == 1
    bars, top = charts.hour_bars(hours)
    assert top == 1
    assert max(bar.height for bar in bars) == 120


def test_today_counts_decisions_by_outcome() -> None:
    make.decision(make.review_item(make.candidate(status="in_review")), "reject")
    assert dict(dashboard.today())["rejected"] == 1
