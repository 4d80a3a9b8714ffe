"""What is named by a string exists: Celery tasks, queues, permissions, dotted paths, migrations."""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader
from django.utils.module_loading import import_string

from ecomsite.celery import app as celery
from ecomsite.roles import ROLES
from ecomsite.stack.commands import WORKER_POOLS

ROOT = Path(__file__).resolve().parents[2]
APPS = [config for config in apps.get_app_configs() if Path(config.path).parent == ROOT]
PERMISSION_CALLS = {"require_permission", "has_perm", "permission_required", "has_perms"}


def registered() -> set[str]:
    """The names of all Celery tasks, as a worker finds them."""
    celery.autodiscover_tasks(force=True)
    celery.finalize()
    return {name for name in celery.tasks if not name.startswith("celery.")}


def calls(*names: str) -> Iterator[tuple[Path, ast.Call]]:
    """Every call of a function or method of one of `names` in our code."""
    for config in APPS:
        for path in Path(config.path).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call):
                    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                    if called in names:
                        yield path, node


def strings_in(call: ast.Call) -> Iterator[str]:
    """The literal text arguments of `call`, but for the f-strings in it."""
    for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield argument.value


def permissions() -> set[str]:
    """Every permission that `migrate` makes."""
    return {
        f"{model._meta.app_label}.{codename}"
        for model in apps.get_models()
        for codename in [
            *(f"{action}_{model._meta.model_name}" for action in model._meta.default_permissions),
            *(codename for codename, _ in model._meta.permissions),
        ]
    }


def test_every_beat_entry_names_a_registered_task() -> None:
    assert {entry["task"] for entry in celery.conf.beat_schedule.values()} <= registered()


def test_every_route_names_a_registered_task() -> None:
    assert {name for name in settings.CELERY_TASK_ROUTES if not name.endswith("*")} <= registered()


def test_every_hint_names_a_registered_task() -> None:
    unknown = [
        f"{path.relative_to(ROOT)}: {name}"
        for path, call in calls("hint", "hint_on_commit")
        for name in strings_in(call)
        if name not in registered()
    ]
    assert not unknown


def test_every_queue_has_a_worker_and_every_worker_a_queue() -> None:
    served = {queue for queues in WORKER_POOLS for queue in queues.split(",")}
    assert served == {queue.name for queue in settings.CELERY_TASK_QUEUES}


def test_every_task_has_a_soft_time_limit() -> None:
    ours = {config.name for config in APPS}
    unlimited = [name for name in registered() if name.split(".")[0] in ours and not celery.tasks[name].soft_time_limit]
    assert not unlimited, "a task without a limit can hold its worker for ever"


def test_every_permission_asked_for_exists() -> None:
    ours = {config.label for config in APPS}
    unknown = [
        f"{path.relative_to(ROOT)}: {name}"
        for path, call in calls(*PERMISSION_CALLS)
        for name in strings_in(call)
        if name.partition(".")[0] in ours and name not in permissions()
    ]
    assert not unknown


def test_every_permission_of_a_role_exists() -> None:
    assert {name for names in ROLES.values() for name in names} <= permissions()


def test_who_may_reach_a_task_can_be_asked() -> None:
    assert callable(import_string(settings.LABELING.may_reach))


@pytest.mark.parametrize(
    "path",
    [
        *settings.INFERENCE.backends.values(),
        *settings.POLICY_CHECKS,
        *settings.QUESTIONS.values(),
    ],
)
def test_every_dotted_path_in_the_settings_can_be_imported(path: str) -> None:
    assert isinstance(import_string(path), type)


def test_migrations_of_an_app_form_one_line_that_ends_in_its_max_file() -> None:
    leaves = MigrationLoader(None, ignore_no_migrations=True).graph.leaf_nodes()
    for config in APPS:
        folder = Path(config.path) / "migrations"
        ends = [name for label, name in leaves if label == config.label]
        if not ends:
            assert not list(config.get_models()), f"{config.label} has tables but no migrations"
            continue
        assert [(folder / "max_migration.txt").read_text().strip()] == ends


@pytest.mark.django_db
def test_no_model_was_changed_without_a_migration() -> None:
    said = io.StringIO()
    try:
        call_command("makemigrations", check=True, dry_run=True, stdout=said)
    except SystemExit:
        pytest.fail(said.getvalue())
