"""What the tests share and what each has for itself: databases, keys, numbers. `tests/session.py` has started the servers."""

from __future__ import annotations

import gc
import random
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.management import call_command
from django.db import connection
from django.db.models.signals import post_migrate
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests import running, servers
from tests.emptying import Emptying

# The same examples each time, however long one takes: what is found by chance is found by whoever cannot look into it.
hypothesis_settings.register_profile(
    "suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("suite")

pytest_plugins = ["tests.chromium", "tests.workers", "tests.web_server", "tests.label_studio_server"]

# A test is one transaction, and idle for longer than the desk lets any be while a session fixture prepares models.
connection.settings_dict["OPTIONS"].pop("options")


# As slow as it should be for a stranger who guesses; the tests sign in hundreds of times.
PBKDF2PasswordHasher.iterations = 1_000


def pytest_configure(config: pytest.Config) -> None:
    gc.disable()  # until all tests are known: nothing of what is made on the way there is garbage
    config.pluginmanager.register(running.Overlong())


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in this hook too
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    running.arrange(items)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    return running.id_of(val, argname)


def pytest_collection_finish() -> None:
    # What is loaded by now stays: no collection of garbage has to go through it again.
    gc.enable()
    gc.collect()
    gc.freeze()


def _have_a_policy(**kwargs: Any) -> None:
    """Put the policy of the files in force without a line in the ledger, so that a test begins with an empty one."""
    from django.utils import timezone

    from core.hashing import hash_json
    from moderation.models.policies import PolicyActivation, PolicyVersion
    from moderation.policy_versions import FIRST, content_now

    if not PolicyActivation.objects.exists():
        content = content_now()
        version = PolicyVersion.objects.create(number=1, content_hash=hash_json(content), content=content)
        PolicyActivation.objects.create(version=version, at=timezone.now(), reason=FIRST)


# Called when the tables are made; what it leaves comes back with them (`Emptying`).
post_migrate.disconnect(sender=apps.get_app_config("moderation"), dispatch_uid="moderation.have_a_policy")
post_migrate.connect(_have_a_policy, sender=apps.get_app_config("moderation"), dispatch_uid="tests.have_a_policy")


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """Give this process a database of its own, copied from one that was migrated once for all of the session."""
    name = str(connection.settings_dict["NAME"])
    with django_db_blocker.unblock():
        servers.copy_template("template", name, make=_migrate)
        Emptying().take_over()
    yield
    with django_db_blocker.unblock():
        connection.close()
        servers.drop_database(name)


def _migrate(database: str) -> None:
    """Migrate it and let transactional tests empty its copies: the ledger's own triggers would refuse that."""
    name = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = database
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_ledgerentry DISABLE TRIGGER audit_ledger_no_truncate")
        for table in ("audit_treehead", "audit_timestamp", "audit_ledgerkey"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_no_truncate")
    connection.close()
    connection.settings_dict["NAME"] = name


@pytest.fixture(autouse=True)
def numbers_and_keys_of_its_own(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test the same SKUs and primary keys each time: lots, ties and the order of rows hang on them."""
    from django.apps import apps
    from django.db.models import UUIDField

    from tests import factories

    factories.number_from_one()
    rng = random.Random(running.nodeid_of(request.node))
    for model in apps.get_models():
        if isinstance(model._meta.pk, UUIDField):
            monkeypatch.setattr(model._meta.pk, "_get_default", lambda: uuid.UUID(int=rng.getrandbits(128), version=4))


@pytest.fixture(autouse=True)
def ledger_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test, as its own ledger, its own keys, second place and high-water mark."""
    from django.conf import settings

    folder = tmp_path / "ledger"
    own = replace(
        settings.LEDGER,
        key_file=folder / "key.pem",
        sealing_key_file=folder / "sealing-key",
        anchor_file=folder / "anchors.jsonl",
        mark_file=folder / "high-water.json",
    )
    monkeypatch.setattr(settings, "LEDGER", own)
