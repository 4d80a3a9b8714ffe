"""What hides a customer review and since when, and when an import last changed its words."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0010_reviews_are_not_leased'),
    ]

    operations = [
        migrations.CreateModel(
            name='HiddenReview',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('decision_ref', models.CharField(editable=False, help_text='what hid it', max_length=120, unique=True)),
                ('reasons', models.JSONField(editable=False, help_text='answers that were given, as codes')),
                ('marked', models.JSONField(default=list, editable=False, help_text='those of them that a model had suggested')),
                ('text_hash', models.CharField(editable=False, help_text='of its title and text, as they were then', max_length=64)),
                ('hidden_at', models.DateTimeField(editable=False)),
                ('ended_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('ended_by', models.CharField(blank=True, editable=False, help_text='the decision that ended it', max_length=120)),
            ],
            options={
                'ordering': ('-hidden_at', 'id'),
                'permissions': (('show_review', 'Can show a hidden customer review again'),),
            },
        ),
        migrations.AddField(
            model_name='customerreview',
            name='edited_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='when an import last brought another title or text of it', null=True),
        ),
        migrations.AddIndex(
            model_name='customerreview',
            index=models.Index(condition=models.Q(('edited_at__isnull', False)), fields=['edited_at'], name='review_edited'),
        ),
        migrations.AddField(
            model_name='hiddenreview',
            name='review',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='hidings', to='catalog.customerreview'),
        ),
        migrations.AddConstraint(
            model_name='hiddenreview',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('review',), name='hidden_once'),
        ),
        migrations.AddConstraint(
            model_name='hiddenreview',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('ended_by', '')), models.Q(('ended_at__isnull', False), models.Q(('ended_by', ''), _negated=True)), _connector='OR'), name='what_ends_a_hiding_is_a_decision'),
        ),
    ]
