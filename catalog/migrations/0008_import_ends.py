"""Imports that cannot go on, because their file breaks off or another took its place, are closed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0007_worker_losses")]

    operations = [
        migrations.AlterField(
            model_name="importrun",
            name="status",
            field=models.CharField(
                choices=[
                    ("running", "Running"),
                    ("completed", "Completed"),
                    ("interrupted", "Interrupted"),
                    ("failed", "Failed"),
                    ("superseded", "Superseded"),
                ],
                default="running",
                max_length=12,
            ),
        ),
        migrations.RemoveConstraint(model_name="importrun", name="one_open_import_per_file"),
        migrations.AddConstraint(
            model_name="importrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ("running", "interrupted"))),
                fields=("kind", "file_hash", "feed_format"),
                name="one_open_import_per_file",
            ),
        ),
    ]
