"""What models say stands in one table, whatever the question; what waits for it in another, with the scorer's lease.

Everything that was said before is carried over. Of a tone only how positive it was is known, of a shadow only its label
and how sure that was; a score without a model version, which nothing of ours wrote, says nothing and is left.
"""

import django.db.models.deletion
from django.db import migrations, models

COPY = """
INSERT INTO moderation_prediction
    (question, subject, model_version_id, label, probabilities, confidence, seconds, is_shadow, created_at)
SELECT 'sentiment', 'catalog.customerreview:' || review_id, model_version_id, label, probabilities, confidence, NULL,
    false, created_at
FROM moderation_sentiment ORDER BY id;

INSERT INTO moderation_prediction
    (question, subject, model_version_id, label, probabilities, confidence, seconds, is_shadow, created_at)
SELECT 'validity', 'moderation.candidate:' || candidate_id, model_version_id,
    CASE WHEN value >= 0.5 THEN 'valid' ELSE 'invalid' END,
    jsonb_build_object('valid', value, 'invalid', 1 - value), GREATEST(value, 1 - value), NULL, false, created_at
FROM moderation_score WHERE name = 'valid_description' AND model_version_id IS NOT NULL ORDER BY id;

INSERT INTO moderation_prediction
    (question, subject, model_version_id, label, probabilities, confidence, seconds, is_shadow, created_at)
SELECT 'sentiment', 'moderation.candidate:' || candidate_id, model_version_id,
    CASE WHEN value > 0.5 THEN 'positive' ELSE '' END,
    jsonb_build_object('positive', value), CASE WHEN value > 0.5 THEN value ELSE 0 END, NULL, false, created_at
FROM moderation_score WHERE name = 'positive_tone' AND model_version_id IS NOT NULL ORDER BY id;

INSERT INTO moderation_prediction
    (question, subject, model_version_id, label, probabilities, confidence, seconds, is_shadow, created_at)
SELECT m.role, CASE WHEN s.review_id IS NULL THEN 'moderation.candidate:' || s.candidate_id
    ELSE 'catalog.customerreview:' || s.review_id END,
    s.model_version_id, s.label, jsonb_build_object(s.label, s.confidence), s.confidence, s.seconds, true, s.created_at
FROM moderation_shadowscore s JOIN inference_modelversion m ON m.id = s.model_version_id ORDER BY s.id
ON CONFLICT (subject, question, model_version_id) DO UPDATE SET seconds = EXCLUDED.seconds;

INSERT INTO moderation_scoring (question, subject, scored_with, scored_at, created_at, lease_token, lease_expires_at,
    n_attempts, n_losses, last_error, quarantined_at)
SELECT 'sentiment', 'catalog.customerreview:' || r.id, r.scored_with,
    (SELECT max(s.created_at) FROM moderation_sentiment s
     WHERE s.review_id = r.id AND s.model_version_id = r.scored_with),
    r.created_at, r.lease_token, r.lease_expires_at, r.n_attempts, r.n_losses, r.last_error, r.quarantined_at
FROM catalog_customerreview r ORDER BY r.created_at, r.id;

INSERT INTO moderation_scoredquestion (question, about, is_complete)
SELECT 'sentiment', 'catalog.customerreview', true WHERE EXISTS (SELECT 1 FROM moderation_scoring);
"""
COPY_BACK = """
INSERT INTO moderation_sentiment (review_id, model_version_id, label, probabilities, confidence, created_at)
SELECT r.id, p.model_version_id, p.label, p.probabilities, p.confidence, p.created_at
FROM moderation_prediction p JOIN catalog_customerreview r ON p.subject = 'catalog.customerreview:' || r.id
WHERE p.question = 'sentiment' AND NOT p.is_shadow ORDER BY p.id;

INSERT INTO moderation_score (candidate_id, name, value, model_version_id, created_at)
SELECT c.id, CASE p.question WHEN 'validity' THEN 'valid_description' ELSE 'positive_tone' END,
    COALESCE((p.probabilities ->> CASE p.question WHEN 'validity' THEN 'valid' ELSE 'positive' END)::float, 0),
    p.model_version_id, p.created_at
FROM moderation_prediction p JOIN moderation_candidate c ON p.subject = 'moderation.candidate:' || c.id
WHERE p.question IN ('validity', 'sentiment') AND NOT p.is_shadow ORDER BY p.id;

INSERT INTO moderation_shadowscore (review_id, candidate_id, model_version_id, label, confidence, seconds, created_at)
SELECT r.id, c.id, p.model_version_id, left(p.label, 24), p.confidence, COALESCE(p.seconds, 0), p.created_at
FROM moderation_prediction p
LEFT JOIN catalog_customerreview r ON p.subject = 'catalog.customerreview:' || r.id
LEFT JOIN moderation_candidate c ON p.subject = 'moderation.candidate:' || c.id
WHERE p.is_shadow AND p.question IN ('validity', 'sentiment') AND num_nonnulls(r.id, c.id) = 1 ORDER BY p.id;

UPDATE catalog_customerreview r SET scored_with = s.scored_with, lease_token = s.lease_token,
    lease_expires_at = s.lease_expires_at, n_attempts = s.n_attempts, n_losses = s.n_losses, last_error = s.last_error,
    quarantined_at = s.quarantined_at
FROM moderation_scoring s WHERE s.question = 'sentiment' AND s.subject = 'catalog.customerreview:' || r.id;
"""

# Who could see sentiments can see predictions: the permission is the same row under another name.
RENAME = """
UPDATE auth_permission SET codename = replace(codename, '{0}', '{1}'), name = replace(name, '{0}', '{1}')
WHERE content_type_id IN (SELECT id FROM django_content_type WHERE app_label = 'moderation' AND model = '{0}');
UPDATE django_content_type SET model = '{1}' WHERE app_label = 'moderation' AND model = '{0}'
    AND NOT EXISTS (SELECT 1 FROM django_content_type WHERE app_label = 'moderation' AND model = '{1}');
"""

# By triggers, because rows come by imports of a million, by hand and by scripts, and none may be forgotten; what comes
# is seen in the transaction that brings it. What goes takes with it what was said of it.
TRIGGERS = """
CREATE FUNCTION moderation_open_scorings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO moderation_scoring (question, subject, created_at, n_attempts, n_losses, last_error)
    SELECT asked.question, asked.about || ':' || new_row.id, now(), 0, 0, ''
    FROM moderation_scoredquestion AS asked, new_row WHERE asked.about = TG_ARGV[0]
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE FUNCTION moderation_forget_predictions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The scorings first: who writes a prediction holds one, and is waited for.
    DELETE FROM moderation_scoring AS said USING old_row WHERE said.subject = TG_ARGV[0] || ':' || old_row.id;
    DELETE FROM moderation_prediction AS said USING old_row WHERE said.subject = TG_ARGV[0] || ':' || old_row.id;
    RETURN NULL;
END $$;
CREATE TRIGGER moderation_open_scorings AFTER INSERT ON catalog_customerreview
    REFERENCING NEW TABLE AS new_row FOR EACH STATEMENT
    EXECUTE FUNCTION moderation_open_scorings('catalog.customerreview');
CREATE TRIGGER moderation_forget_predictions AFTER DELETE ON catalog_customerreview
    REFERENCING OLD TABLE AS old_row FOR EACH STATEMENT
    EXECUTE FUNCTION moderation_forget_predictions('catalog.customerreview');
CREATE TRIGGER moderation_forget_predictions AFTER DELETE ON moderation_candidate
    REFERENCING OLD TABLE AS old_row FOR EACH STATEMENT
    EXECUTE FUNCTION moderation_forget_predictions('moderation.candidate');
"""
NO_TRIGGERS = """
DROP TRIGGER moderation_open_scorings ON catalog_customerreview;
DROP TRIGGER moderation_forget_predictions ON catalog_customerreview;
DROP TRIGGER moderation_forget_predictions ON moderation_candidate;
DROP FUNCTION moderation_open_scorings();
DROP FUNCTION moderation_forget_predictions();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0009_variants"),
        ("inference", "0004_roles_by_name"),
        ("moderation", "0023_items_by_question_and_subject"),
    ]

    operations = [
        migrations.CreateModel(
            name="Prediction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("question", models.CharField(max_length=60)),
                ("subject", models.CharField(help_text="a reference: core/refs.py", max_length=120)),
                (
                    "label",
                    models.CharField(
                        blank=True,
                        help_text="several answers are joined: core/label_sets.py; empty: it was not kept",
                        max_length=60,
                    ),
                ),
                ("probabilities", models.JSONField(help_text="answer → 0 to 1; of several answers each by itself")),
                ("confidence", models.FloatField(help_text="how sure `label` is, 0 to 1")),
                (
                    "seconds",
                    models.FloatField(
                        help_text="its share of the time its batch took, where that was measured", null=True
                    ),
                ),
                (
                    "is_shadow",
                    models.BooleanField(default=False, help_text="said beside the champion: nothing acted on it"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "model_version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inference.modelversion",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at", "-pk"),
                "indexes": [
                    models.Index(fields=["model_version", "confidence"], name="prediction_by_confidence"),
                    models.Index(fields=["model_version", "id"], name="prediction_by_arrival"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("subject", "question", "model_version"), name="one_prediction_per_subject_and_model"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ScoredQuestion",
            fields=[
                ("question", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("about", models.CharField(help_text="the table, as references name it: app.model", max_length=100)),
                ("is_complete", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="Scoring",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("lease_token", models.UUIDField(blank=True, editable=False, null=True)),
                ("lease_expires_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("n_attempts", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "n_losses",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        editable=False,
                        help_text="times in a row that its worker was lost with it",
                    ),
                ),
                ("last_error", models.TextField(blank=True, editable=False)),
                (
                    "quarantined_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="failed too often; nobody gets it until a person readmits it",
                        null=True,
                    ),
                ),
                ("question", models.CharField(editable=False, max_length=60)),
                ("subject", models.CharField(editable=False, max_length=120)),
                (
                    "scored_with",
                    models.UUIDField(
                        editable=False, help_text="the version that answered last; empty: none yet", null=True
                    ),
                ),
                ("scored_at", models.DateTimeField(editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [models.Index(fields=["question", "scored_with", "id"], name="to_score")],
                "constraints": [
                    models.UniqueConstraint(fields=("subject", "question"), name="one_scoring_per_subject_and_question")
                ],
            },
        ),
        migrations.RunSQL(COPY, COPY_BACK),
        migrations.RunSQL(RENAME.format("sentiment", "prediction"), RENAME.format("prediction", "sentiment")),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
        migrations.DeleteModel("Score"),
        migrations.DeleteModel("Sentiment"),
        migrations.DeleteModel("ShadowScore"),
    ]
