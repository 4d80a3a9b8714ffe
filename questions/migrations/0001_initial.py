"""Versions of declared questions, which never change."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION questions_version_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a version of a question never changes: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER questions_questionversion_no_change BEFORE UPDATE OR DELETE ON questions_questionversion
    FOR EACH ROW EXECUTE FUNCTION questions_version_is_append_only();
"""

BACKWARD = """
DROP TRIGGER questions_questionversion_no_change ON questions_questionversion;
DROP FUNCTION questions_version_is_append_only();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="QuestionVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(editable=False, max_length=60)),
                ("number", models.PositiveIntegerField(editable=False, help_text="1, 2, 3 … of the question")),
                ("content_hash", models.CharField(editable=False, help_text="SHA-256 of the canonical JSON of the content", max_length=64)),
                ("content", models.JSONField(editable=False)),
                ("renamed", models.JSONField(default=dict, editable=False, help_text="answers before → what they became")),
                ("loaded_at", models.DateTimeField(auto_now_add=True)),
                (
                    "loaded_by",
                    models.ForeignKey(
                        editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("name", "-number"),
                "permissions": (("load_question", "Can load declared questions, and rename their answers"),),
                "constraints": [models.UniqueConstraint(fields=("name", "number"), name="one_number_per_question")],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
