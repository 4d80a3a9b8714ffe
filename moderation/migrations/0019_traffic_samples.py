"""A lot each day from all customer reviews: how good the champion is can be seen where it is sure, too."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("catalog", "0007_worker_losses"),
        ("moderation", "0018_leases_are_facts"),
    ]

    operations = [
        migrations.CreateModel(
            name="TrafficSample",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(help_text="in UTC")),
                ("n_of", models.PositiveIntegerField(help_text="so many came that day")),
                ("drawn_at", models.DateTimeField(auto_now_add=True)),
                (
                    "review",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="traffic_sample",
                        to="catalog.customerreview",
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
                "indexes": [models.Index(fields=["day"], name="traffic_by_day")],
            },
        ),
    ]
