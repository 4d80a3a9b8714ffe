"""One row for each picture, told by the hash of its address: an index does not hold the longest ones."""

from pathlib import Path

from django.db import migrations, models
from django.db.models.functions import MD5

from core.migrating import run_sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0003_messages_of_customers"),
    ]

    operations = [
        # Where 0002 was applied while it made the constraint.
        migrations.RunSQL(
            "ALTER TABLE catalog_productpicture DROP CONSTRAINT IF EXISTS one_row_per_picture", migrations.RunSQL.noop
        ),
        migrations.AddConstraint(
            model_name="productpicture",
            constraint=models.UniqueConstraint("product", MD5("address"), name="one_row_per_picture"),
        ),
        run_sql_file(Path(__file__).parents[1] / "sql" / "pictures.sql"),
    ]
