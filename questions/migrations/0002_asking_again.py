"""Answers that a version splits are given anew by people; what was said before is kept beside the version."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('questions', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='questionversion',
            name='asked_again',
            field=models.JSONField(default=list, editable=False, help_text='answers before that people give anew'),
        ),
        migrations.CreateModel(
            name='LabelBefore',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(editable=False, max_length=120)),
                ('label', models.CharField(blank=True, editable=False, help_text='what was held to be true, if anything', max_length=60)),
                ('method', models.CharField(blank=True, editable=False, max_length=24)),
                ('source', models.CharField(blank=True, editable=False, max_length=60)),
                ('labelled_at', models.DateTimeField(editable=False, null=True)),
                ('votes', models.JSONField(default=list, editable=False, help_text='[rater, label, when] of each vote')),
                ('asked_at', models.DateTimeField(editable=False, help_text='when people were asked again', null=True)),
                ('version', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='before', to='questions.questionversion')),
            ],
            options={
                'ordering': ('pk',),
                'indexes': [models.Index(condition=models.Q(('asked_at', None)), fields=['id'], name='label_before_to_ask')],
                'constraints': [models.UniqueConstraint(fields=('version', 'subject'), name='one_label_before_a_version')],
            },
        ),
    ]
