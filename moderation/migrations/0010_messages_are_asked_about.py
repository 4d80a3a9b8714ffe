"""Messages can be asked about: what comes is scored, and what goes takes with it what was said of it."""

from pathlib import Path

from django.db import migrations

from core.migrating import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_messages_of_customers"), ("moderation", "0009_rule_proposals")]

    operations = [run_sql_file(Path(__file__).parents[1] / "sql" / "message_triggers.sql")]
