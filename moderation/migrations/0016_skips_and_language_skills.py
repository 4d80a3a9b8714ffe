"""What each reviewer passed over, and which languages they read."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("moderation", "0015_worker_losses"),
    ]

    operations = [
        migrations.CreateModel(
            name='LanguageSkills',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('locales', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('en', 'English'), ('zh-Hans', '简体中文')], max_length=12), blank=True, default=list, help_text='texts in other languages are not offered to them; none = every language', size=None)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='language_skills', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'language skills',
            },
        ),
        migrations.CreateModel(
            name='Skip',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(choices=[('language', 'I do not read this language well enough'), ('unsure', 'I am not sure, and somebody else may be'), ('involved', 'I have something to do with it'), ('broken', 'It does not show as it should'), ('later', 'It needs more time than I have now')], max_length=12)),
                ('at', models.DateTimeField()),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='skips', to='moderation.reviewitem')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-at',),
                'constraints': [models.UniqueConstraint(fields=('item', 'user'), name='one_skip_per_person'), models.CheckConstraint(condition=models.Q(('reason__in', ('language', 'unsure', 'involved', 'broken', 'later'))), name='skip_reason')],
            },
        ),
    ]
