"""How an import ends: completed, interrupted and resumed, failed with its file, or superseded by a newer one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.models import LedgerEntry
from catalog import import_loop
from catalog.importing import import_products
from catalog.models import ImportRun, Product
from core.actors import SystemActor
from tests.feed_files import file_of

pytestmark = pytest.mark.django_db
ACTOR = SystemActor("tests")


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_loop, "BATCH", 10)


def _feed(n: int) -> str:
    return "sku,title\n" + "".join(f"A-{number},The cup {number}\n" for number in range(n))


def _interrupt(path: Path) -> None:
    def stop(run: ImportRun, share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_products(path, actor=ACTOR, on_progress=stop)


def test_a_resumed_import_says_where_it_went_on(tmp_path: Path, capsys: Any) -> None:
    path = file_of(tmp_path, "p.csv", _feed(25))
    _interrupt(path)
    assert ImportRun.objects.get().status == ImportRun.Status.INTERRUPTED
    call_command("import_products", str(path))
    assert "had stopped after 10 rows; this one went on from there" in " ".join(capsys.readouterr().out.split())
    run = ImportRun.objects.get()
    assert (run.status, run.n_created) == (ImportRun.Status.COMPLETED, 25)
    call_command("import_products", str(path))
    assert "had stopped" not in capsys.readouterr().out


def test_an_import_whose_file_breaks_off_is_closed_as_failed(tmp_path: Path) -> None:
    item = "<item><g:id>A</g:id><title>The cup</title></item>"
    path = file_of(tmp_path, "p.xml", f'<rss xmlns:g="http://base.google.com/ns/1.0">{item}<item>')
    for n in (1, 2):
        with pytest.raises(CommandError, match=r"could not be read to its end.*Mend the file"):
            call_command("import_products", str(path))
        assert ImportRun.objects.filter(status=ImportRun.Status.FAILED).exclude(finished_at=None).count() == n
    assert Product.objects.count() == 1
    actions = LedgerEntry.objects.values_list("action", flat=True)
    assert list(actions) == ["catalog.import.started", "catalog.import.failed"] * 2


def test_a_newer_file_of_the_same_name_supersedes_what_stopped(tmp_path: Path) -> None:
    path = file_of(tmp_path, "p.csv", _feed(25))
    _interrupt(path)
    other = file_of(tmp_path, "q.csv", _feed(30))
    _interrupt(other)
    file_of(tmp_path, "p.csv", _feed(26))
    import_products(path, actor=ACTOR)
    closed = ImportRun.objects.get(status=ImportRun.Status.SUPERSEDED)
    assert (closed.file_name, closed.n_rows) == ("p.csv", 10)
    assert closed.finished_at
    assert ImportRun.objects.get(file_name="q.csv").status == ImportRun.Status.INTERRUPTED
    assert "catalog.import.superseded" in LedgerEntry.objects.values_list("action", flat=True)


def test_the_older_file_can_be_imported_all_the_same(tmp_path: Path) -> None:
    path = file_of(tmp_path, "p.csv", _feed(25))
    _interrupt(path)
    file_of(tmp_path, "p.csv", _feed(26))
    import_products(path, actor=ACTOR)
    file_of(tmp_path, "p.csv", _feed(25))
    run = import_products(path, actor=ACTOR)
    assert (run.status, run.n_unchanged, run.went_on_after) == (ImportRun.Status.COMPLETED, 25, 0)


def test_a_file_without_rows_says_so(tmp_path: Path, capsys: Any) -> None:
    call_command("import_products", str(file_of(tmp_path, "p.csv", "sku,title\n")))
    assert "The file holds no rows" in capsys.readouterr().out
