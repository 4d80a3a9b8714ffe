"""Makes the desk, has it tell an auditor what it is, and dumps it."""

from __future__ import annotations

import json
import lzma
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from desk_of_before import ROOT
from desk_of_before.copy_work import copy_decided, drafts, live_copy, shop
from desk_of_before.label_work import labels_and_files, learning, sentiments
from desk_of_before.people import People, rules, sign
from desk_of_before.rest import leave_behind, rest


def start() -> tuple[Any, Any]:
    """Start a PostgreSQL of its own with the tables of this checkout, and a broker; returns both."""
    from ecomsite.stack.broker import Broker
    from ecomsite.stack.ports import free_port
    from ecomsite.stack.postgres import Postgres

    ROOT.chmod(0o755)
    server = Postgres(ROOT / "postgres", free_port())
    server.start()
    server.create_database("desk")
    os.environ["DATABASE_URL"] = server.url("desk")
    broker = Broker(ROOT / "broker", free_port())
    broker.start()
    os.environ["CELERY_BROKER_URL"] = broker.url()
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    settings.INFERENCE["BACKENDS"] |= {
        "acceptable": "tests.backends.Acceptable",
        "word_vectors": "tests.backends.WordVectors",
    }
    call_command("migrate", verbosity=0)
    return server, broker


def told(who: People) -> dict[str, Any]:
    """What this commit tells an auditor: the twenty answers, and the decisions that each evidence pack names."""
    from django.db import transaction

    from catalog.models import PublishedCopy
    from monitoring.auditor.asking import Asked
    from monitoring.auditor.questions import QUESTIONS, ask
    from monitoring.evidence import pack

    live = PublishedCopy.objects.filter(retired_at=None).select_related("product").order_by("product__sku")
    skus = sorted({copy.product.sku for copy in live})
    with transaction.atomic():
        packs = {sku: _decisions_in(pack.collect(sku, actor=who.auditor).content) for sku in skus}
    sign()
    values, answers = {"sku": skus[0], "seconds": 600}, {}
    for question in QUESTIONS:
        with transaction.atomic():
            answer = ask(question.number, Asked(**{name: values[name] for name in question.needs}), actor=who.auditor)
            answers[question.number] = [answer.words, [[made.title, made.columns, made.rows] for made in answer.tables]]
            transaction.set_rollback(True)  # so that each question is about what is in the dump
    return {"sku": skus[0], "answers": answers, "packs": packs, **_proven()}


def _decisions_in(said: Any) -> list[str]:
    return sorted(set(re.findall(r"moderation\.decision:[0-9a-f-]{36}", json.dumps(said, default=str))))


def _proven() -> dict[str, Any]:
    from audit.verification import verify

    result = verify()
    assert result.is_intact, result
    return {
        "n_entries": result.n_entries,
        "head_hash": result.head_hash,
        "root_hash": result.root_hash,
        "n_heads": result.n_heads,
    }


def dump(server: Any, folder: Path) -> None:
    """Write the dump and the second place of its ledger into `folder`."""
    from django.conf import settings
    from django.db import connection

    connection.close()
    from ecomsite.stack.postgres import find_binaries

    command = [
        str(find_binaries() / "pg_dump"),
        "--no-owner",
        "--no-privileges",
        "--inserts",
        "--rows-per-insert=500",
        "--no-comments",
        server.url("desk"),
    ]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    # Lines for psql, which restores nothing here; and what only this version of PostgreSQL knows.
    said = re.sub(r"^(\\(un)?restrict .*|--.*|SET transaction_timeout.*)\n", "", said, flags=re.MULTILINE)
    said = re.sub(r"\n{3,}", "\n\n", said).replace(str(ROOT / "var"), "/var/lib/ecomsite")
    for word in (str(ROOT), ROOT.name, server.password, os.uname().nodename, "/root", "/work", "/home"):
        if len(word) < 4:
            continue  # stands by chance in what is in base64
        for found in sorted({said[max(0, m.start() - 60) : m.end() + 60] for m in re.finditer(re.escape(word), said)}):
            raise SystemExit(f"{word} is in the dump: {found}")
    (folder / "desk_6c052e0.sql.xz").write_bytes(lzma.compress(said.encode(), preset=9 | lzma.PRESET_EXTREME))
    shutil.copy(settings.LEDGER["ANCHOR_FILE"], folder / "desk_6c052e0.anchors.jsonl")


def main(folder: Path) -> None:
    """Make the desk and dump it into `folder`."""
    random.seed(7)
    server, broker = start()
    try:
        who = People()
        rules(rereview_percent=0, blind_percent=0)
        shop(who)
        mugs = drafts(who)
        copy_decided(who)
        live_copy(who, mugs)
        for step in (sentiments, labels_and_files, learning, rest, leave_behind):
            step(who)
        (folder / "desk_6c052e0.told.json").write_text(json.dumps(told(who), default=str, indent=0) + "\n")
        dump(server, folder)
    finally:
        broker.stop()
        server.stop()
        shutil.rmtree(ROOT, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
