from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0003_alerts_refusals_mark_checks"),
    ]

    operations = [
        migrations.AlterField(
            model_name="refusal",
            name="kind",
            field=models.CharField(
                choices=[
                    ("sign_in", "Sign-in failed"),
                    ("permission", "Permission missing"),
                    ("door", "Refused at the door of Label Studio"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="refusal",
            name="what",
            field=models.CharField(
                help_text="the page or call, by its name; at the door the reason", max_length=120
            ),
        ),
    ]
