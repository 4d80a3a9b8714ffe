"""What a desk calls its queues: rows of before the names became one word are carried along."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from labeling.models import Label, LabelingProject
from moderation.models.reviews import ReviewItem
from monitoring.models import Alert
from tests import factories

BEFORE = [
    ("labeling", "0009_calibrated_consensus"),
    ("moderation", "0019_traffic_samples"),
    ("monitoring", "0004_refusals_at_the_door"),
]


@pytest.mark.django_db(transaction=True)
def test_items_are_about_their_question_and_subject_and_come_back_as_they_were() -> None:
    items = [factories.review_item(), factories.review_item(factories.customer_review())]
    before = [(item.pk, item.kind, item.about) for item in items]
    MigrationExecutor(connection).migrate(BEFORE)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT kind FROM moderation_reviewitem ORDER BY kind")
            assert [kind for (kind,) in cursor.fetchall()] == ["copy_review", "review_sentiment"]
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    assert sorted(ReviewItem.objects.values_list("pk", "kind", "about")) == sorted(before)


@pytest.mark.django_db(transaction=True)
def test_queues_labels_and_alerts_get_the_name_of_their_question() -> None:
    MigrationExecutor(connection).migrate(BEFORE)
    try:
        with connection.cursor() as cursor:
            cursor.execute("""
                INSERT INTO labeling_labelingproject (kind, title, config_hash, webhook_hash)
                VALUES ('copy_review', 'Copy review', '', ''), ('review_sentiment', 'Review sentiment', '', '');
                INSERT INTO labeling_label (kind, subject, label, method, n_votes, source, labelled_at)
                VALUES ('review_sentiment', 'catalog.customerreview:1', 'positive', 'single', 1, 'label_studio', now());
                INSERT INTO monitoring_alert (part, state, words, note, raised_at)
                VALUES ('queue_review_sentiment', 'busy', 'long', '', now());
            """)
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    assert set(LabelingProject.objects.values_list("kind", flat=True)) == {"copy_verdict", "sentiment"}
    assert (Label.objects.get().kind, Alert.objects.get().part) == ("sentiment", "queue_sentiment")
    assert factories.labeling_project("sentiment").kind == "sentiment"
