"""The commands of a user, each in a process of its own, on a database of a benchmark's own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from bench.declared_sets import Declared
from ecomsite.stack.postgres import Postgres

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Done:
    """What a command printed, and how long it took, its start included."""

    stdout: str
    seconds: float


class Desk:
    """An installation with declared questions, at which one person works."""

    person, prepared = "kim", "prepared"

    def __init__(self, server: Postgres, root: Path, asked: Sequence[Declared]) -> None:
        self.server, self.folder, self.asked = server, root, asked
        questions = root / "questions"
        questions.mkdir()
        for one in asked:
            (questions / f"{one.name}.yaml").write_text(one.declaration(), encoding="utf-8")
        self.url, self._is_prepared = "", False
        self.environment = os.environ | {
            "SECRET_KEY": "x" * 60,
            "ECOMSITE_VAR": str(root / "var"),
            "QUESTIONS_DIR": str(questions),
            "DECLARED_QUESTIONS": ",".join(one.name for one in asked),
        }

    def begin(self, database: str) -> None:
        """Work in a new database from now on, set up to the point where labels can come in."""
        if not self._is_prepared:
            self._prepare()
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{self.prepared}"')
        self._use(database)

    def _use(self, database: str) -> None:
        self.environment["DATABASE_URL"] = self.url = self.server.url(database)

    def _prepare(self) -> None:
        self.server.create_database(self.prepared)
        self._use(self.prepared)
        self.run("migrate", "-v", "0")
        self.environment["DJANGO_SUPERUSER_PASSWORD"] = "x" * 30
        self.run("createsuperuser", "--noinput", "--username", self.person, "--email", "kim@example.com")
        self.run("prepare_models")
        self.run("questions", "check", *sorted((self.folder / "questions").iterdir()))
        for one in self.asked:
            self.run("questions", "load", one.name, "--by", self.person, "--yes")
        self._is_prepared = True

    def run(self, *arguments: object, given: str = "") -> Done:
        """Run `manage.py` with `arguments`. Raises `SystemExit` with what it said where it fails."""
        began = time.perf_counter()
        command = [sys.executable, ROOT / "manage.py", *map(str, arguments)]
        done = subprocess.run(command, env=self.environment, input=given, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{arguments[0]} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return Done(done.stdout, time.perf_counter() - began)

    def newest_version(self, role: str) -> dict[str, Any]:
        """Return artefact, name and card of the version of `role` that was registered last."""
        return self._one(
            "SELECT artifact_hash, name, card FROM inference_modelversion WHERE role = %s ORDER BY number DESC", role
        )

    def snapshot_of(self, task: str) -> dict[str, int]:
        """Return how many texts the newest run of `task` learnt from, validated on and was measured on."""
        return self._one(
            "SELECT s.n_train AS train, s.n_validation AS validation, s.n_test AS test FROM training_trainingrun r "
            "JOIN training_datasetsnapshot s ON s.id = r.snapshot_id WHERE r.task = %s ORDER BY r.created_at DESC",
            task,
        )

    def _one(self, query: str, *given: object) -> dict[str, Any]:
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            found = connection.execute(f"{query} LIMIT 1", given).fetchone()
        if found is None:
            raise SystemExit(f"nothing is there for {given}")
        return found
