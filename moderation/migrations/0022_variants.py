"""Copy is asked for, and drafted, for an audience and in a variant. All there is, is `control` and for everybody."""

from django.db import migrations, models

AUDIENCE = {"db_default": "", "default": "", "help_text": "empty: everybody", "max_length": 40}
VARIANT = {"db_default": "control", "default": "control", "max_length": 40}


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0009_variants"),
        ("moderation", "0021_questions_by_name"),
    ]

    operations = [
        migrations.AddField(
            model_name="generationrequest",
            name="audience",
            field=models.CharField(blank=True, **AUDIENCE),
        ),
        migrations.AddField(
            model_name="generationrequest",
            name="variant",
            field=models.CharField(help_text="what is approved goes live in this one", **VARIANT),
        ),
        migrations.AddField(
            model_name="candidate",
            name="audience",
            field=models.CharField(editable=False, **AUDIENCE),
        ),
        migrations.AddField(
            model_name="candidate",
            name="variant",
            field=models.CharField(editable=False, **VARIANT),
        ),
        migrations.RemoveConstraint(model_name="generationrequest", name="one_request_per_facts_and_prompt"),
        migrations.AddConstraint(
            model_name="generationrequest",
            constraint=models.UniqueConstraint(
                fields=(
                    "product",
                    "channel",
                    "locale",
                    "facts_hash",
                    "prompt_version",
                    "alias",
                    "round",
                    "audience",
                    "variant",
                ),
                name="one_request_per_facts_and_prompt",
            ),
        ),
    ]
