"""Pictures can be asked about: one that goes takes with it what was said of it."""

from pathlib import Path

from django.db import migrations

from core.migrating import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_pictures_of_products"), ("moderation", "0005_a_lot_for_each_question")]

    operations = [run_sql_file(Path(__file__).parents[1] / "sql" / "picture_triggers.sql")]
