"""While the database is away everybody is told so, and when to come back; when it is back, so are we."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from ecomsite.stack.ports import free_port
from ecomsite.stack.postgres import Postgres
from tests.web_server import Web
from tests.workers import wait_for

ROOT = Path(__file__).resolve().parents[2]
PATH = "/api/v1/copy/MUG"


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL of the test's own, to be stopped, with one text that is live."""
    root = Path(tempfile.mkdtemp(prefix="ecomsite-away-"))
    root.chmod(0o755)
    server = Postgres(root / "postgres", free_port(), settings={"fsync": "off"})
    try:
        server.start()
        server.create_database("ecomsite", extensions=("vector", "pg_trgm"))
        migrate = [sys.executable, str(ROOT / "manage.py"), "migrate", "--no-input", "-v", "0"]
        subprocess.run(migrate, env=environment(server), cwd=ROOT, check=True, timeout=120)
        with psycopg.connect(server.url("ecomsite")) as connection:
            connection.execute(
                "INSERT INTO catalog_product (sku, title, localized_titles, locale, brand, category, description, currency,"
                " image_url, facts_hash, source, created_at, updated_at)"
                " VALUES ('MUG', 'A mug', '{}', 'en', '', '', '', '', '', '', '', now(), now())"
            )
            connection.execute(
                "INSERT INTO catalog_publishedcopy (id, product_id, channel, locale, text, candidate_ref, provenance, ai_mark,"
                " published_at, retired_reason) SELECT gen_random_uuid(), id, 'description', 'en', 'A mug.', 'c', '{}', '{}', now(), ''"
                " FROM catalog_product"
            )
        yield server
    finally:
        server.stop()
        shutil.rmtree(root, ignore_errors=True)


def environment(server: Postgres) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": server.url("ecomsite"), "DJANGO_SETTINGS_MODULE": "ecomsite.settings"}


@pytest.mark.slow("starts a PostgreSQL of its own, migrates it and stops it")
def test_a_database_that_is_away_is_a_503_that_says_when_to_come_back(
    postgres: Postgres, start_web: Callable[..., Web]
) -> None:
    web = start_web(environment(postgres))
    for _ in range(8):  # both processes have their connections, and have rendered the text
        assert web.get(PATH).json()["text"] == "A mug."
    assert web.get("/console/login/").status == 200

    postgres.stop()
    for path in (PATH, "/api/v1/feed", "/readyz"):
        for _ in range(4):
            answer = web.get(path)
            assert answer.status == 503, path
            assert int(answer.headers["retry-after"]) > 0
            assert answer.headers["content-type"] == "application/json"
            assert answer.json()
    basic = {"Authorization": "Basic YTpi"}
    assert web.ask("POST", "/api/v1/requests", b"{}", headers=basic).status == 503
    for headers in ({}, {"Cookie": "ecomsite_session=abcdefghijklmnopqrstuvwxyz012345"}):
        page = web.get("/console/my-work/", **headers)
        if headers:
            assert page.status == 503
            assert "The database is away" in page.body.decode()
            assert int(page.headers["retry-after"]) > 0
        assert page.status != 500
    assert web.get("/healthz").status == 200

    postgres.start()
    # Neither told nor started anew: each thread makes a new connection when it is asked next.
    wait_for(lambda: web.get(PATH).status == 200, seconds=30, what="the text")
    for _ in range(16):
        assert web.get(PATH).json()["text"] == "A mug."
    assert web.get("/console/my-work/", Cookie="ecomsite_session=abcdefghijklmnopqrstuvwxyz012345").status == 302
    assert b"Internal Server Error" not in web.log.read_bytes()
