"""How often in a row whoever held a row was never heard of again: counted by itself, because it costs no attempt."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('labeling', '0005_label_exchange'),
    ]

    operations = [
        migrations.AddField(
            model_name='labelcheck',
            name='n_losses',
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='times in a row that its worker was lost with it'),
        ),
        migrations.AddField(
            model_name='labelingtask',
            name='n_losses',
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='times in a row that its worker was lost with it'),
        ),
        migrations.AddField(
            model_name='webhookevent',
            name='n_losses',
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False, help_text='times in a row that its worker was lost with it'),
        ),
    ]
