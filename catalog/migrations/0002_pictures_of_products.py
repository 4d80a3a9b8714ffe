"""A row for each picture of a product, so that people can be asked about it; kept by triggers."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

from core.migrating import run_sql_file

# Of what products hold now, as the triggers make them.
PICTURES = """
INSERT INTO catalog_productpicture (product_id, address, created_at)
SELECT id, image_url, now() FROM catalog_product WHERE image_url <> '' ORDER BY id"""
# Without the table nothing could be written to products any more.
UNKEPT = """
DROP TRIGGER IF EXISTS catalog_add_pictures ON catalog_product;
DROP TRIGGER IF EXISTS catalog_change_pictures ON catalog_product"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0001_squashed"),
    ]

    operations = [
        migrations.CreateModel(
            name="ProductPicture",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "address",
                    models.CharField(
                        editable=False, help_text="absolute URL, or a path under MEDIA_URL", max_length=1000
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "removed_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="since when the product has another; what people said stays",
                        null=True,
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pictures",
                        to="catalog.product",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at", "-id"),
            },
        ),
        migrations.RunSQL(PICTURES, migrations.RunSQL.noop),
        run_sql_file(Path(__file__).parents[1] / "sql" / "pictures.sql"),
        migrations.RunSQL(migrations.RunSQL.noop, UNKEPT),
    ]
