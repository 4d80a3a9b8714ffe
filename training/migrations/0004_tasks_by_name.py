"""What is learnt is the name of a question, or a task that is none: the settings say which there are, not the tables."""

from django.db import migrations, models

TASK = {"editable": False, "max_length": 60, "help_text": "a question, or what else is learnt"}


class Migration(migrations.Migration):
    dependencies = [("training", "0003_worker_losses")]

    operations = [
        migrations.RemoveConstraint("datasetsnapshot", "snapshot_task"),
        migrations.AlterField("datasetsnapshot", "task", models.CharField(**TASK)),
        migrations.AlterField("trainingrun", "task", models.CharField(**TASK)),
    ]
