"""Give the items that are there their place by the rules of `moderation/priority.py`, as they were on that day.

The orders that failed before there was a quarantine are put there, where people find them.
"""

from django.conf import settings
from django.db import migrations

# A test compares this with the Python that new items are opened by.
FACTORS = """
UPDATE moderation_reviewitem AS item
SET risk = greatest(0.1, least(1, round((
        CASE candidate.channel WHEN 'ad_slogan' THEN 0.4 ELSE 0.2 END
        + coalesce((SELECT sum(CASE finding.severity WHEN 'warn' THEN 0.15 WHEN 'block' THEN 0.4 ELSE 0 END)
                    FROM moderation_finding AS finding WHERE finding.candidate_id = candidate.id), 0))::numeric, 4))),
    uncertainty = greatest(0.1, least(1, round((1 - coalesce(candidate.grounding, 0))::numeric, 4))),
    value = greatest(1, least(3, round(1 + log(1 + coalesce(product.price, 0)) / 2, 4)))
FROM moderation_candidate AS candidate
JOIN catalog_product AS product ON product.id = candidate.product_id
WHERE item.candidate_id = candidate.id;

UPDATE moderation_reviewitem AS item
SET risk = 0.1,
    uncertainty = greatest(0.1, least(1, round(coalesce(
        (SELECT ((1 - score.confidence) / (1 - 1.0 / greatest(2, score.n_labels)))
         FROM (SELECT confidence, created_at,
                      (SELECT count(*) FROM jsonb_object_keys(probabilities)) AS n_labels
               FROM moderation_sentiment WHERE review_id = review.id) AS score
         ORDER BY score.created_at DESC LIMIT 1), 1)::numeric, 4))),
    value = greatest(1, least(3, round(1 + log(1 + coalesce(
        (SELECT price FROM catalog_product WHERE id = review.product_id), 0)) / 2, 4)))
FROM catalog_customerreview AS review
WHERE item.customer_review_id = review.id;
"""
PLACES = """
UPDATE moderation_reviewitem
SET urgent_from = created_at - make_interval(mins => %s) * ln(risk * uncertainty * value);
"""
FAILED = """
UPDATE moderation_generationrequest SET quarantined_at = coalesce(finished_at, created_at)
WHERE status = 'failed' AND quarantined_at IS NULL;
"""


def fill(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(FACTORS)
        cursor.execute(PLACES, [settings.MODERATION["QUEUE"]["ageing_minutes"]])
        cursor.execute(FAILED)


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0002_leases'),
        ('moderation', '0003_urgency_and_queue_policies'),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
