"""The real servers of the test session. PostgreSQL and the broker start before Django reads its settings."""

from __future__ import annotations

import atexit
import os
import random
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Any

import django
import pytest
from django.apps import apps
from django.db import connection
from django.db.models.signals import post_migrate
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

# Before anything of ecomsite is imported, which reads it: tests keep out of the var/ of a desk that runs here.
ROOT = Path(tempfile.mkdtemp(prefix="ecomsite-test-"))
os.environ["ECOMSITE_VAR"] = str(ROOT / "var")

from ecomsite.stack.broker import Broker  # noqa: E402
from ecomsite.stack.ports import free_port  # noqa: E402
from ecomsite.stack.postgres import Postgres  # noqa: E402

# The same examples each time, however long one takes: what is found by chance is found by whoever cannot look into it.
hypothesis_settings.register_profile(
    "suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("suite")

pytest_plugins = ["tests.workers", "tests.label_studio_server"]


def _start_session_servers() -> None:
    """Start an embedded PostgreSQL (unless ECOMSITE_TEST_DATABASE_URL names a server) and an embedded broker."""
    ROOT.chmod(0o755)
    atexit.register(shutil.rmtree, ROOT, ignore_errors=True)
    if url := os.environ.get("ECOMSITE_TEST_DATABASE_URL"):
        os.environ["DATABASE_URL"] = url
    else:
        server = Postgres(ROOT / "postgres", free_port())
        server.start()
        server.create_database("ecomsite")
        os.environ["DATABASE_URL"] = server.url("ecomsite")
        atexit.register(server.stop)
    broker = Broker(ROOT / "broker", free_port())
    broker.start()
    os.environ["CELERY_BROKER_URL"] = broker.url()
    atexit.register(broker.stop)
    os.environ.setdefault("SECRET_KEY", "only-for-tests-0123456789-0123456789-0123456789-abcdef")
    os.environ.setdefault("LABEL_STUDIO_WEBHOOK_SECRET", "only-for-tests")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")


# Not in pyproject.toml: pytest-django would read the settings before the database they name is there.
_start_session_servers()
os.environ["DJANGO_SETTINGS_MODULE"] = "ecomsite.settings"
django.setup()
# A test is one transaction, and idle for longer than the desk lets any be while a session fixture prepares models.
connection.settings_dict["OPTIONS"].pop("options")


def _have_a_policy(**kwargs: Any) -> None:
    """Put the policy of the files in force without a line in the ledger, so that a test begins with an empty one."""
    from django.utils import timezone

    from core.hashing import hash_json
    from moderation.models.policies import PolicyActivation, PolicyVersion
    from moderation.policies import FIRST, content_now

    if not PolicyActivation.objects.exists():
        content = content_now()
        version = PolicyVersion.objects.create(number=1, content_hash=hash_json(content), content=content)
        PolicyActivation.objects.create(version=version, at=timezone.now(), reason=FIRST)


# Called when the tables are made, and whenever a transactional test has emptied them.
post_migrate.disconnect(sender=apps.get_app_config("moderation"), dispatch_uid="moderation.have_a_policy")
post_migrate.connect(_have_a_policy, sender=apps.get_app_config("moderation"), dispatch_uid="tests.have_a_policy")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Let transactional tests empty the database between them: the ledger's own triggers would refuse the TRUNCATE."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_ledgerentry DISABLE TRIGGER audit_ledger_no_truncate")
        for table in ("audit_treehead", "audit_timestamp", "audit_ledgerkey"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_no_truncate")


@pytest.fixture(autouse=True)
def numbers_and_keys_of_its_own(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test the same SKUs and primary keys each time: lots, ties and the order of rows hang on them."""
    from django.apps import apps
    from django.db.models import UUIDField

    from tests import factories

    factories.number_from_one()
    rng = random.Random(request.node.nodeid)
    for model in apps.get_models():
        if isinstance(model._meta.pk, UUIDField):
            monkeypatch.setattr(model._meta.pk, "_get_default", lambda: uuid.UUID(int=rng.getrandbits(128), version=4))


@pytest.fixture(autouse=True)
def ledger_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test, as its own ledger, its own keys and second place."""
    from django.conf import settings

    for name, file in (("KEY_FILE", "key.pem"), ("SEALING_KEY_FILE", "sealing-key"), ("ANCHOR_FILE", "anchors.jsonl")):
        monkeypatch.setitem(settings.LEDGER, name, tmp_path / "ledger" / file)
