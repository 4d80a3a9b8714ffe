"""Customer reviews whose words change are scored again, also in databases that had the other triggers before."""

from pathlib import Path

from django.db import migrations

from core.migrating import run_sql_file


class Migration(migrations.Migration):

    dependencies = [("moderation", "0001_squashed")]

    operations = [run_sql_file(Path(__file__).parents[1] / "sql" / "triggers.sql")]
