"""Several approved variants may be live in a slot. What is live and was is the variant `control`, for everybody."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0008_import_ends")]

    operations = [
        migrations.AddField(
            model_name="publishedcopy",
            name="audience",
            field=models.CharField(
                db_default="", default="", editable=False, help_text="empty: everybody", max_length=40
            ),
        ),
        migrations.AddField(
            model_name="publishedcopy",
            name="variant",
            field=models.CharField(db_default="control", default="control", editable=False, max_length=40),
        ),
        migrations.RemoveConstraint(model_name="publishedcopy", name="one_live_copy"),
        migrations.AddConstraint(
            model_name="publishedcopy",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired_at", None)),
                fields=("product", "channel", "locale", "audience", "variant"),
                name="one_live_copy",
            ),
        ),
    ]
