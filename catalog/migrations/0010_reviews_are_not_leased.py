"""A customer review is not leased any more: who scores it leases a `Scoring`, one for each question (moderation)."""

from django.db import migrations


class Migration(migrations.Migration):
    # What stands in these columns is carried over by the second.
    dependencies = [("catalog", "0009_variants"), ("moderation", "0024_predictions")]

    operations = [
        migrations.RemoveIndex("customerreview", "review_to_score"),
        migrations.RemoveField("customerreview", "last_error"),
        migrations.RemoveField("customerreview", "lease_expires_at"),
        migrations.RemoveField("customerreview", "lease_token"),
        migrations.RemoveField("customerreview", "n_attempts"),
        migrations.RemoveField("customerreview", "n_losses"),
        migrations.RemoveField("customerreview", "quarantined_at"),
        migrations.RemoveField("customerreview", "scored_with"),
    ]
