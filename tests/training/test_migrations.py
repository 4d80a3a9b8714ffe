"""What migrations make of rows that were there before."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests import factories, people
from tests.training.test_promotion import trained
from training.models import Approval


@pytest.mark.django_db(transaction=True)
def test_approvals_from_before_were_given_against_the_champion_of_their_report() -> None:
    champion = factories.model_version("copywriter", artifact_hash="")
    report = trained("copywriter")
    person = people.ml_engineer()
    MigrationExecutor(connection).migrate([("training", "0001_initial")])
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO training_approval (version_id, approver_id, reason, created_at) VALUES (%s, %s, 'read', now())",
                [report.version.pk, person.pk],
            )
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes("training"))
    assert Approval.objects.get().against == champion
