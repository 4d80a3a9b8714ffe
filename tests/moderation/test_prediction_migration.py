"""What models said before it stood in one table is carried over, and back: each row, what waits, and who may see it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from core.refs import ref
from moderation.models.predictions import Prediction, ScoredQuestion, Scoring
from tests import factories, people

BEFORE = [("catalog", "0009_variants"), ("moderation", "0023_items_by_question_and_subject")]


@pytest.mark.django_db(transaction=True)
def test_what_models_said_is_carried_over_and_back() -> None:
    sentiment, newer = factories.model_version("sentiment"), factories.model_version("sentiment", alias="challenger")
    judge, rival = factories.model_version("validity"), factories.model_version("validity", alias="challenger")
    scored, poison, fresh = (factories.customer_review(text) for text in ("good", "choke", "new"))
    draft, bland = factories.candidate(), factories.candidate()
    before = factories.sentiment(scored, version=sentiment)
    factories.validity(draft, 0.25, version=judge)
    user = people.outsider()
    user.user_permissions.add(Permission.objects.get(codename="view_prediction"))
    MigrationExecutor(connection).migrate(BEFORE)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT codename FROM auth_permission p JOIN auth_user_user_permissions ON permission_id = p.id"
            )
            assert cursor.fetchall() == [("view_sentiment",)]
            cursor.execute("SELECT review_id, label, model_version_id FROM moderation_sentiment")
            assert cursor.fetchall() == [(scored.pk, "positive", sentiment.pk)]
            cursor.execute("SELECT candidate_id, name, value FROM moderation_score")
            assert cursor.fetchall() == [(draft.pk, "valid_description", 0.25)]
            cursor.execute("SELECT id FROM catalog_customerreview WHERE scored_with = %s", [sentiment.pk])
            assert cursor.fetchall() == [(scored.pk,)]
            cursor.execute(
                "UPDATE catalog_customerreview SET quarantined_at = now(), n_attempts = 5, last_error = 'choked' "
                "WHERE id = %s",
                [poison.pk],
            )
            for tone in ((draft.pk, 0.9), (bland.pk, 0.2)):
                cursor.execute(
                    "INSERT INTO moderation_score (candidate_id, name, value, model_version_id, created_at) "
                    "VALUES (%s, 'positive_tone', %s, %s, now())",
                    [*tone, sentiment.pk],
                )
            for review, candidate, version, label in (
                (scored.pk, None, newer.pk, "neutral"),
                (scored.pk, None, sentiment.pk, "positive"),
                (None, draft.pk, rival.pk, "valid"),
            ):
                cursor.execute(
                    "INSERT INTO moderation_shadowscore (review_id, candidate_id, model_version_id, label, confidence, "
                    "seconds, created_at) VALUES (%s, %s, %s, %s, 0.8, 0.01, now())",
                    [review, candidate, version, label],
                )
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    said = Prediction.objects.values_list("question", "subject", "model_version", "label", "confidence", "is_shadow")
    assert sorted(said, key=str) == sorted(
        [
            ("sentiment", ref(scored), sentiment.pk, "positive", before.confidence, False),
            ("validity", ref(draft), judge.pk, "invalid", 0.75, False),
            ("sentiment", ref(draft), sentiment.pk, "positive", 0.9, False),
            ("sentiment", ref(bland), sentiment.pk, "", 0.0, False),
            ("sentiment", ref(scored), newer.pk, "neutral", 0.8, True),
            ("validity", ref(draft), rival.pk, "valid", 0.8, True),
        ],
        key=str,
    )
    kept = Prediction.objects.of("sentiment", [scored]).get(model_version=sentiment)
    assert (kept.probabilities, kept.seconds) == (before.probabilities, 0.01)
    held = Scoring.objects.order_by("pk").values_list("subject", "scored_with", "n_attempts", "last_error")
    assert list(held) == [
        (ref(scored), sentiment.pk, 0, ""),
        (ref(poison), None, 5, "choked"),
        (ref(fresh), None, 0, ""),
    ]
    assert Scoring.objects.get(subject=ref(poison)).quarantined_at
    assert ScoredQuestion.objects.get().is_complete
    late = factories.customer_review("late")
    assert Scoring.objects.filter(subject=ref(late)).exists(), "the trigger is there"
    assert list(user.user_permissions.values_list("codename", flat=True)) == ["view_prediction"]
