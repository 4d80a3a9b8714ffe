"""What each check knew of the high-water mark."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0003_signed_heads_and_sealing'),
    ]

    operations = [
        migrations.AddField(
            model_name='ledgercheck',
            name='marked_size',
            field=models.BigIntegerField(default=0, editable=False, help_text='lines of the high-water mark'),
        ),
    ]
