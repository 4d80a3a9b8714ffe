"""The role of a model that answers a question is the question's name."""

from django.db import migrations, models

ROLE = {"max_length": 60, "help_text": "copywriter, encoder, or the name of a question"}


class Migration(migrations.Migration):
    dependencies = [("inference", "0003_rolled_back")]

    operations = [
        migrations.AlterField("modelversion", "role", models.CharField(**ROLE)),
        migrations.AlterField("modelalias", "role", models.CharField(**ROLE)),
    ]
