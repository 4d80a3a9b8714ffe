"""A desk that lived under commit 6c052e0 comes along: the migrations of today lose nothing, and its ledger verifies.

What it is, and how it was made: `desk_of_before`. Beside the dump lie the second place of its ledger, and what that
commit told an auditor of it. The keys are gone: nobody signs with a key from a public file.
"""

from __future__ import annotations

import itertools
import json
import lzma
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from psycopg import sql

from audit import checks, keys
from audit.verification import verify
from catalog.models import PublishedCopy
from core.actors import SystemActor
from core.exceptions import PermanentError
from ecomsite import upgrade
from labeling.models import Label, TaskLease, Vote
from moderation.decisions import settling
from moderation.models.reviews import Decision, ReviewItem
from moderation.queues import handing_out
from monitoring.auditor.asking import Asked
from monitoring.auditor.questions import QUESTIONS, ask
from monitoring.evidence import pack
from tests import factories, servers

HERE = Path(__file__).parent
NAME = "desk_6c052e0"
TOLD: dict[str, Any] = json.loads((HERE / f"{NAME}.told.json").read_text())
# docs/adr/0022: one word for a judgement.
QUESTION = {"copy_review": "copy_verdict", "review_sentiment": "sentiment"}
RENAMED = {
    **{
        (f"labeling_{table}", "kind"): QUESTION
        for table in ("labelingproject", "vote", "label", "ratermodel", "labelcheck", "labelissue", "outofsample")
    },
    ("moderation_reviewitem", "kind"): QUESTION,
    ("moderation_queuepolicy", "kind"): QUESTION,
    ("monitoring_alert", "part"): {f"queue_{old}": f"queue_{new}" for old, new in QUESTION.items()},
}
# What models said stands in one table; the lease of who scores a review went with it.
SAID = ("moderation_sentiment", "moderation_score", "moderation_shadowscore")
SEES = {f"{may}_sentiment": f"{may}_prediction" for may in ("add", "change", "delete", "view")}
RENAMED["auth_permission", "codename"] = SEES
RENAMED["auth_permission", "name"] = {
    f"Can {old.replace('_', ' ')}": f"Can {new.replace('_', ' ')}" for old, new in SEES.items()
}
RENAMED["django_content_type", "model"] = {"sentiment": "prediction"}
NOW_A_SCORING = {
    "scored_with",
    "lease_token",
    "lease_expires_at",
    "n_attempts",
    "n_losses",
    "last_error",
    "quarantined_at",
}
NAMES = {**QUESTION, **RENAMED["monitoring_alert", "part"]}
# Tables of the auditor's answers about the rights that the code of today gives to roles.
FOLLOWS_TODAY = {"Roles now"}
# Django's own, and what roles may do, follow the code of today; the desk's tables hold what they held and no row more.
GROW = {"django_migrations", "django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}
# Whatever is in the schema `public`, in words of PostgreSQL.
SCHEMA = """
SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text, a.attidentity::text,
    coalesce(pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '', ''
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'index', tablename, indexname, indexdef, '', '', '' FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), '', '', ''
FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', '', proname, pg_get_functiondef(oid), '', '', ''
FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f' AND NOT EXISTS (
    SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
"""
Rows = dict[str, list[dict[str, Any]]]
SCORES = {"valid_description": ("validity", "valid"), "positive_tone": ("sentiment", "positive")}


@dataclass(frozen=True)
class Moved:
    """All rows of all tables, before the migrations of today and after them; and how the tables are then."""

    before: Rows
    after: Rows
    tables: Counter[tuple[str, ...]]


def _rows(database: str) -> Rows:
    with psycopg.connect(servers.url_of(database), autocommit=True) as reading:
        tables = reading.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        found = {}
        for (table,) in tables:
            select = sql.SQL("SELECT to_jsonb(line) FROM {} AS line").format(sql.Identifier(table))
            found[table] = [row for (row,) in reading.execute(select).fetchall()]
        return found


def _tables(database: str) -> Counter[tuple[str, ...]]:
    """What PostgreSQL says of tables, constraints, indexes, triggers and functions; in which order is all the same."""
    with psycopg.connect(servers.url_of(database), autocommit=True) as reading:
        lines = reading.execute(SCHEMA).fetchall()
        # PostgreSQL writes the casts of a list in another way once it has been through a dump.
        words = [[re.sub(r"::(character varying|text)(\[\])?|[()]", "", word) for word in line] for line in lines]
        return Counter(map(tuple, words))


def _restore(database: str) -> Rows:
    """Make `database` the desk of before; returns what is in it."""
    servers.create_database(database)
    with psycopg.connect(servers.url_of(database), autocommit=True) as writing:
        writing.execute(lzma.decompress((HERE / f"{NAME}.sql.xz").read_bytes()))
    return _rows(database)


@contextmanager
def _connected_to(database: str) -> Iterator[None]:
    """Have the connection of this process go to `database`, which is dropped in the end."""
    ours = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = database
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = ours
        servers.drop_database(database)


@pytest.fixture(scope="module")
def moved(django_db_setup: None, django_db_blocker: Any) -> Iterator[Moved]:
    """The desk of before in a database of its own, brought along as the runbook says; the connection goes there."""
    database = servers.database_of(f"{servers.PROCESS}_{NAME}")
    before = _restore(database)
    with django_db_blocker.unblock(), _connected_to(database):
        call_command("migrate", verbosity=0)
        yield Moved(before, _rows(database), _tables(database))


@pytest.fixture
def desk(moved: Moved, ledger_of_its_own: None, tmp_path: Path) -> Iterator[Moved]:
    """The desk of before, with the second place of its ledger. What a test does to it is undone."""
    (tmp_path / "ledger").mkdir()
    shutil.copy(HERE / f"{NAME}.anchors.jsonl", tmp_path / "ledger" / "anchors.jsonl")
    with transaction.atomic():
        yield moved
        transaction.set_rollback(True)


def _auditor() -> User:
    return User.objects.get(groups__name="Auditor")


def _words(said: str) -> str:
    """What an answer says, without what it takes the key of the mark for."""
    return re.sub(r" \d+ (not )?genuine,|, (unaltered|NOT proven): .*", "", said)


def _cells(columns: list[str], rows: Sequence[Sequence[Any]], wanted: Iterable[str]) -> list[list[Any]]:
    """The `wanted` columns of a table, queues by the names of today."""
    places = [columns.index(column) for column in wanted]
    return [[NAMES.get(str(row[place]), row[place]) for place in places] for row in rows]


def _today(table: str, column: str) -> str:
    """What the column is called today."""
    return "question" if column == "kind" and RENAMED.get((table, column)) is QUESTION else column


def _as_today(table: str, row: dict[str, Any]) -> str:
    names = {
        _today(table, column): RENAMED.get((table, column), {}).get(str(value), value) for column, value in row.items()
    }
    return json.dumps(names, sort_keys=True)


def test_no_row_is_lost_and_each_says_what_it_said(desk: Moved) -> None:
    assert sum(len(rows) for rows in desk.before.values()) > 5000
    seen = {row["id"] for row in desk.before["auth_permission"] if row["codename"].endswith(("_score", "_shadowscore"))}
    for table, held in desk.before.items():
        if table in SAID:
            continue
        if table == "auth_group_permissions":
            held = [row for row in held if row["permission_id"] not in seen]
        gone = NOW_A_SCORING if table == "catalog_customerreview" else set()
        rows = [{name: value for name, value in row.items() if name not in gone} for row in held]
        columns = [_today(table, column) for column in rows[0]] if rows else []
        there = Counter(json.dumps({name: row[name] for name in columns}, sort_keys=True) for row in desk.after[table])
        lost = Counter(_as_today(table, row) for row in rows) - there
        assert not lost, (table, next(iter(lost)))
        assert table in GROW or len(desk.after[table]) == len(rows), table


def test_what_models_said_is_kept_in_one_table_with_the_version_that_said_it(desk: Moved) -> None:
    said = {
        (row["subject"], row["question"], row["model_version_id"]): row for row in desk.after["moderation_prediction"]
    }
    kept = set()
    for row in desk.before["moderation_sentiment"]:
        key = (f"catalog.customerreview:{row['review_id']}", "sentiment", row["model_version_id"])
        assert [said[key][name] for name in ("label", "probabilities", "confidence", "created_at", "is_shadow")] == [
            *(row[name] for name in ("label", "probabilities", "confidence", "created_at")),
            False,
        ]
        kept.add(key)
    for row in desk.before["moderation_score"]:
        question, answer = SCORES[row["name"]]
        key = (f"moderation.candidate:{row['candidate_id']}", question, row["model_version_id"])
        assert said[key]["probabilities"][answer] == row["value"]
        kept.add(key)
    roles = {row["id"]: row["role"] for row in desk.before["inference_modelversion"]}
    for row in desk.before["moderation_shadowscore"]:
        about = f"catalog.customerreview:{row['review_id']}" if row["review_id"] else ""
        version = row["model_version_id"]
        key = (about or f"moderation.candidate:{row['candidate_id']}", roles[version], version)
        assert (said[key]["label"], said[key]["seconds"]) == (row["label"], row["seconds"])
        kept.add(key)
    assert kept == set(said)


def test_each_review_waits_for_its_score_as_it_did(desk: Moved) -> None:
    waits = {row["subject"]: row for row in desk.after["moderation_scoring"] if row["question"] == "sentiment"}
    for row in desk.before["catalog_customerreview"]:
        scoring = waits.pop(f"catalog.customerreview:{row['id']}")
        same = NOW_A_SCORING & row.keys()
        assert {name: scoring[name] for name in same} == {name: row[name] for name in same}
    assert not waits


def test_each_picture_of_a_product_is_a_row(desk: Moved) -> None:
    wanted = {(row["id"], row["image_url"]) for row in desk.before["catalog_product"] if row["image_url"]}
    assert wanted
    assert {(row["product_id"], row["address"]) for row in desk.after["catalog_productpicture"]} == wanted


def test_the_tables_are_those_of_a_new_desk(desk: Moved) -> None:
    new = _tables(servers.database_of("template"))
    assert len(new) > 1000
    assert (list(desk.tables - new), list(new - desk.tables)) == ([], [])


def test_it_comes_along_once(desk: Moved) -> None:
    with pytest.raises(PermanentError, match="this is no database of 6c052e0"):
        upgrade.bring_along(connection)
    assert _tables(str(connection.settings_dict["NAME"])) == desk.tables


def test_items_go_by_question_and_subject(desk: Moved) -> None:
    kinds = Counter(row["kind"] for row in desk.before["moderation_reviewitem"])
    for old, new in QUESTION.items():
        assert ReviewItem.objects.filter(question=new).count() == kinds[old] > 0
    for item in ReviewItem.objects.select_related("candidate", "customer_review"):
        about = item.candidate or item.customer_review
        expected = f"{about._meta.label_lower}:{about.pk}" if about else ""
        assert (item.about, item.lead is None) == (expected, bool(about))


def test_labels_and_votes_go_by_question(desk: Moved) -> None:
    for model in (Label, Vote):
        before = Counter(QUESTION[row["kind"]] for row in desk.before[model._meta.db_table])
        assert Counter(model.objects.values_list("question", flat=True)) == before
        assert set(before) == set(QUESTION.values())


def test_leases_that_ran_are_leases_of_persons(desk: Moved) -> None:
    held = {
        (row["lease_token"], row["assignee_id"], row["labeling_task_id"])
        for row in desk.before["moderation_reviewitem"]
        if row["lease_token"] and row["assignee_id"]
    }
    assert held
    leases = TaskLease.objects.values_list("token", "person_id", "task_id")
    assert {(str(token), person, str(task)) for token, person, task in leases} == held


def test_the_ledger_verifies_and_goes_on(desk: Moved) -> None:
    result = verify()
    assert result.is_intact, result.reason
    assert {name: getattr(result, name) for name in ("n_entries", "head_hash", "root_hash", "n_heads")} == {
        name: TOLD[name] for name in ("n_entries", "head_hash", "root_hash", "n_heads")
    }
    assert result.anchored_size == result.n_entries
    keys.rotate(actor=SystemActor("tests"), reason="the old key stayed behind", is_lost=True)
    signed = checks.check_new()
    assert signed is not None
    assert signed.is_intact, signed.reason
    assert verify(expected_head=TOLD["head_hash"]).n_entries > TOLD["n_entries"]


def test_people_work_on_where_they_stopped(desk: Moved, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factories, "_numbers", itertools.count(100_000))  # the dump has the first ones
    n_live = PublishedCopy.objects.filter(retired_at=None).count()
    handing_out.reap_items()
    reviewer, other = (User.objects.get(username=f"{name}@example.com") for name in ("rae.finch", "rob.wren"))
    for question, said in (("copy_verdict", {"verdict": "accept"}), ("sentiment", {"sentiment": "negative"})):
        assert handing_out.next_item(other, question=question) is not None
        waiting = ReviewItem.objects.filter(question=question, status="waiting", lead=None, seats=None, purpose="label")
        item = factories.lease(waiting.filter(candidate__findings=None).order_by("created_at")[0], reviewer)
        assert TaskLease.objects.filter(person=reviewer, task=item.labeling_task, token=item.lease_token).exists()
        factories.answer(item, reviewer, **said)
        assert settling.settle_decisions() == 1
        assert Decision.objects.get(item=item).reviewer == reviewer
    assert PublishedCopy.objects.filter(retired_at=None).count() == n_live + 1
    assert verify().is_intact


@pytest.mark.parametrize("sku", sorted(TOLD["packs"]))
def test_an_evidence_pack_names_the_same_decisions(sku: str, desk: Moved) -> None:
    content = pack.collect(sku, actor=_auditor()).content
    named = {decision["decision"] for text in content["texts"] for decision in text["decisions"]}
    assert named == set(TOLD["packs"][sku])


@pytest.mark.parametrize("number", map(int, TOLD["answers"]))
def test_an_auditor_is_told_what_they_were_told(number: int, desk: Moved) -> None:
    needs = next(question.needs for question in QUESTIONS if question.number == number)
    values = {"sku": TOLD["sku"], "seconds": 600}
    answer = ask(number, Asked(**{name: values[name] for name in needs}), actor=_auditor())
    words, tables = TOLD["answers"][str(number)]
    assert _words(answer.words) == _words(words)
    today = {table.title: table for table in answer.tables}
    for title, columns, rows in tables:
        if title not in FOLLOWS_TODAY:
            wanted = [column for column in columns if column != "signed mark is genuine"]
            told = _cells(list(today[title].columns), today[title].rows, wanted)
            # Of what happened at one moment neither says which was first.
            assert sorted(told, key=str) == sorted(_cells(columns, rows, wanted), key=str), title


@pytest.mark.parametrize("page", ["", "auditor/", "label-quality/sentiment/", "training/"])
def test_a_page_of_the_console_opens(page: str, desk: Moved) -> None:
    client = Client()
    client.force_login(User.objects.get(groups__name="Administrator"))
    assert client.get(f"/console/{page}").status_code == 200
