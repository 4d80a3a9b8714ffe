"""Messages of customers, to be asked about as reviews are."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_pictures_of_products"),
    ]

    operations = [
        migrations.AlterField(
            model_name="importrun",
            name="kind",
            field=models.CharField(help_text="products, reviews, messages or labels", max_length=24),
        ),
        migrations.CreateModel(
            name="CustomerMessage",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "external_id",
                    models.CharField(help_text="the shop's id, or a hash of the content", max_length=120, unique=True),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "Email"),
                            ("chat", "Chat"),
                            ("form", "Form"),
                            ("social", "Social network"),
                            ("other", "Another way"),
                        ],
                        default="other",
                        max_length=12,
                    ),
                ),
                (
                    "locale",
                    models.CharField(choices=[("en", "English"), ("zh-Hans", "简体中文")], default="en", max_length=12),
                ),
                ("text", models.TextField()),
                (
                    "author",
                    models.CharField(
                        blank=True, db_index=True, help_text="a pseudonym; empty: not known", max_length=16
                    ),
                ),
                ("received_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "product",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="messages",
                        to="catalog.product",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at", "id"),
            },
        ),
    ]
