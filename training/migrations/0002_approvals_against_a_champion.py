"""An approval says in place of whom a version may serve."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def say_against_whom(apps, schema_editor):
    """Approvals from before were given on the report that had passed: against the champion of that one."""
    reports = apps.get_model("training", "EvaluationReport").objects.filter(version=models.OuterRef("version"), verdict="pass")
    champion = reports.filter(created_at__lte=models.OuterRef("created_at")).order_by("-created_at").values("against")[:1]
    apps.get_model("training", "Approval").objects.update(against=models.Subquery(champion))


class Migration(migrations.Migration):

    dependencies = [
        ('inference', '0003_rolled_back'),
        ('training', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='approval',
            name='one_approval_per_person',
        ),
        migrations.AddField(
            model_name='approval',
            name='against',
            field=models.ForeignKey(editable=False, help_text='who served when it was given', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inference.modelversion'),
        ),
        migrations.RunPython(say_against_whom, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='approval',
            constraint=models.UniqueConstraint(fields=('version', 'against', 'approver'), name='one_approval_per_person', nulls_distinct=False),
        ),
    ]
