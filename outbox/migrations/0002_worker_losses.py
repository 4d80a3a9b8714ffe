"""How often in a row whoever held a row was never heard of again: counted by itself, because it costs no attempt."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('outbox', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='endpoint',
            name='n_losses',
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='times in a row that its worker was lost with it'),
        ),
    ]
