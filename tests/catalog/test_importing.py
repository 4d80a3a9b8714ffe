"""Imports: by key, in batches, every bad row named, killed and resumed without loss."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection

from audit.models import LedgerEntry
from audit.verification import verify
from catalog import import_loop
from catalog.editing import hash_of
from catalog.importing import import_products, import_reviews
from catalog.models import CustomerReview, ImportRun, Product, ProductFact
from core.actors import SystemActor
from core.exceptions import PermanentError, TransientError
from ecomsite.env import BASE_DIR

pytestmark = pytest.mark.django_db

ACTOR = SystemActor("tests")
MAPPINGS = Path(__file__).parent / "mappings"
DATA = Path(os.environ.get("ECOMSITE_DATA_DIR", BASE_DIR.parent / "shared" / "data"))


def _real(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"real data absent: {path} (set ECOMSITE_DATA_DIR)")
    return path


def _line(n: int, **values: Any) -> dict[str, Any]:
    return {
        "sku": f"P-{n:05}",
        "title": {"en": f"Lamp {n}", "zh-Hans": f"台灯{n}号"},
        "brand": "Halden",
        "price": "12.50 EUR",
        "facts": {"en": {"weight": f"{100 + n} g", "dimmable": True}, "zh-Hans": {"重量": f"{100 + n} 克"}},
        **values,
    }


def _jsonl(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def _errors(run: ImportRun) -> list[dict[str, str]]:
    with Path(run.error_file).open(newline="") as stream:
        return list(csv.DictReader(stream))


def _counts(run: ImportRun) -> tuple[int, int, int, int, int, int]:
    return run.n_rows, run.n_created, run.n_updated, run.n_unchanged, run.n_duplicates, run.n_bad


def test_products_arrive_with_facts_in_both_languages(tmp_path: Path) -> None:
    run = import_products(_jsonl(tmp_path / "p.jsonl", [_line(1)]), actor=ACTOR)
    assert run.status == ImportRun.Status.COMPLETED
    product = Product.objects.get()
    assert (product.title_for("zh-Hans"), product.price, product.source) == ("台灯1号", Decimal("12.50"), "p.jsonl")
    assert len(product.facts_hash) == 64
    facts = [(f.locale, f.name, f.kind, f.number, f.unit) for f in product.facts.all()]
    assert facts == [
        ("en", "weight", "quantity", Decimal(101), "g"),
        ("en", "dimmable", "boolean", None, ""),
        ("zh-Hans", "重量", "quantity", Decimal(101), "g"),
    ]


def test_unchanged_products_stay_untouched_and_changed_ones_get_a_new_facts_hash(tmp_path: Path) -> None:
    import_products(_jsonl(tmp_path / "a.jsonl", [_line(1), _line(2), _line(3)]), actor=ACTOR)
    before = {p.sku: p for p in Product.objects.all()}
    fact_ids = set(ProductFact.objects.filter(product__sku="P-00001").values_list("pk", flat=True))
    rows = [_line(1), _line(2, price="13 EUR"), _line(3, facts={"en": {"weight": "1 kg"}}), _line(4)]
    run = import_products(_jsonl(tmp_path / "b.jsonl", rows), actor=ACTOR)
    assert _counts(run) == (4, 1, 2, 1, 0, 0)
    after = {p.sku: p for p in Product.objects.all()}
    assert after["P-00001"].updated_at == before["P-00001"].updated_at
    assert set(ProductFact.objects.filter(product__sku="P-00001").values_list("pk", flat=True)) == fact_ids
    assert after["P-00002"].facts_hash == before["P-00002"].facts_hash
    assert after["P-00002"].price == Decimal(13)
    assert after["P-00003"].facts_hash != before["P-00003"].facts_hash
    assert [fact.value for fact in after["P-00003"].facts.all()] == ["1 kg"]
    assert after["P-00003"].created_at == before["P-00003"].created_at
    assert {sku: p.pk for sku, p in before.items()}.items() <= {sku: p.pk for sku, p in after.items()}.items()


def test_of_a_repeated_sku_the_first_row_counts(tmp_path: Path) -> None:
    rows = [_line(n) for n in range(1, 250)] + [_line(1), _line(2, price="99 EUR")]
    run = import_products(_jsonl(tmp_path / "p.jsonl", rows), actor=ACTOR)
    assert _counts(run) == (251, 249, 0, 0, 1, 1)
    assert Product.objects.get(sku="P-00002").price == Decimal("12.50")
    (error,) = _errors(run)
    assert (error["line"], error["sku"]) == ("251", "P-00002")
    assert "line 2 has the same key" in error["reason"]


def test_of_a_file_with_5_percent_bad_rows_each_is_named_and_no_good_one_lost(tmp_path: Path) -> None:
    chance = random.Random(7)
    spoil = (
        lambda row: json.dumps(row)[:-5],
        lambda row: json.dumps({**row, "title": ""}),
        lambda row: json.dumps({**row, "sku": None}),
        lambda row: json.dumps({**row, "price": "soon"}),
        lambda row: json.dumps({**row, "sku": "s" * 200}),
        lambda row: json.dumps([row]),
        lambda row: json.dumps({**row, "title": "\x00\ud800"}),
        lambda row: '=HYPERLINK("http://evil.example")',
    )
    bad = set(chance.sample(range(1, 1201), 60))
    rows: list[Any] = [spoil[n % len(spoil)](_line(n)) if n in bad else _line(n) for n in range(1, 1201)]
    run = import_products(_jsonl(tmp_path / "p.jsonl", rows), actor=ACTOR)
    assert _counts(run) == (1200, 1140, 0, 0, 0, 60)
    assert set(Product.objects.values_list("sku", flat=True)) == {f"P-{n:05}" for n in range(1, 1201) if n not in bad}
    errors = _errors(run)
    assert {int(error["line"]) for error in errors} == bad
    assert all(error["reason"] for error in errors)
    assert not [error for error in errors if error["raw"].startswith("=")]


def test_a_formula_in_a_sku_cannot_run_in_the_error_file(tmp_path: Path) -> None:
    rows = [{"sku": "=cmd|' /C calc'!A0", "title": ""}, {"sku": "\ud800\x00odd", "title": ""}]
    run = import_products(_jsonl(tmp_path / "p.jsonl", rows), actor=ACTOR)
    assert [error["sku"] for error in _errors(run)] == ["'=cmd|' /C calc'!A0", "?odd"]


def test_a_product_hashes_the_same_in_a_feed_and_in_the_database(tmp_path: Path) -> None:
    facts = {"en": {"weight": "1.20 kg", "cups": 6, "range": "-5 °C", "dimmable": True}}
    import_products(_jsonl(tmp_path / "p.jsonl", [_line(1, facts=facts)]), actor=ACTOR)
    product = Product.objects.get()
    assert hash_of(product) == product.facts_hash


def test_a_completed_import_leaves_no_empty_error_file_and_two_ledger_lines(tmp_path: Path) -> None:
    run = import_products(_jsonl(tmp_path / "p.jsonl", [_line(1)]), actor=ACTOR)
    assert run.error_file == ""
    lines = list(LedgerEntry.objects.values_list("action", "actor"))
    assert lines == [("catalog.import.started", "system:tests"), ("catalog.import.completed", "system:tests")]
    assert verify().is_intact


def test_an_import_needs_the_permission(tmp_path: Path) -> None:
    path = _jsonl(tmp_path / "p.jsonl", [_line(1)])
    with pytest.raises(PermissionDenied):
        import_products(path, actor=User.objects.create_user("visitor"))
    with pytest.raises(PermissionDenied):
        import_reviews(path, actor=User.objects.get())


def test_a_wrong_file_leaves_no_run_behind(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("a,b\n1,2\n")
    with pytest.raises(PermanentError):
        import_products(tmp_path / "p.csv", actor=ACTOR)
    assert not ImportRun.objects.exists()


BATCH = 200


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches that a small file has several of."""
    monkeypatch.setattr(import_loop, "BATCH", BATCH)


def _stop_after(batches: int) -> Any:
    def on_progress(run: ImportRun, share: float) -> None:
        if run.n_rows >= batches * BATCH:
            raise KeyboardInterrupt

    return on_progress


@pytest.mark.usefixtures("small_batches")
def test_an_interrupted_import_goes_on_where_it_stopped(tmp_path: Path) -> None:
    rows: list[Any] = [_line(n) for n in range(1, 1001)]
    rows[99], rows[899] = "{", "{"
    path = _jsonl(tmp_path / "p.jsonl", [*rows, _line(1)])
    with pytest.raises(KeyboardInterrupt):
        import_products(path, actor=ACTOR, on_progress=_stop_after(2))
    stopped = ImportRun.objects.get()
    assert (stopped.status, stopped.n_rows, Product.objects.count()) == (ImportRun.Status.INTERRUPTED, 400, 399)
    # What a process killed between the error file and its commit leaves behind is cut off again.
    with Path(stopped.error_file).open("a") as stream:
        stream.write("401,,never committed,\n")
    run = import_products(path, actor=ACTOR)
    assert run == stopped
    assert _counts(run) == (1001, 998, 0, 0, 1, 2)
    assert [error["line"] for error in _errors(run)] == ["100", "900"]
    assert list(LedgerEntry.objects.values_list("action", flat=True)) == [
        f"catalog.import.{what}" for what in ("started", "interrupted", "resumed", "completed")
    ]


@pytest.mark.usefixtures("small_batches")
def test_an_interrupted_import_can_be_started_again_from_the_first_row(tmp_path: Path) -> None:
    path = _jsonl(tmp_path / "p.jsonl", [_line(n) for n in range(1, 401)])
    with pytest.raises(KeyboardInterrupt):
        import_products(path, actor=ACTOR, on_progress=_stop_after(1))
    run = import_products(path, actor=ACTOR, resume=False)
    assert _counts(run) == (400, 200, 0, 200, 0, 0)


COMMAND = "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'ecomsite.settings'; from django.core.management import execute_from_command_line; execute_from_command_line(sys.argv)"


def _command(*arguments: str) -> subprocess.Popen[str]:
    settings = connection.settings_dict
    url = os.environ["DATABASE_URL"].rsplit("/", 1)[0] + "/" + settings["NAME"]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=BASE_DIR,
        env={**os.environ, "DATABASE_URL": url, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A suite started in the background by a shell inherits SIGINT ignored, and Python then never sees a Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.slow("six processes, one after another")
@pytest.mark.django_db(transaction=True)
def test_an_import_killed_five_times_is_resumed_with_nothing_lost_and_nothing_twice(tmp_path: Path) -> None:
    n, kills = 8 * import_loop.BATCH, 5
    rows: list[Any] = [_line(number) for number in range(1, n + 1)]
    bad = list(range(50, n, 97))
    for number in bad:
        rows[number - 1] = '{"sku": "broken"'
    path = _jsonl(tmp_path / "p.jsonl", rows)
    for kill in range(1, kills + 1):
        process = _command("import_products", str(path))
        deadline = time.monotonic() + 60
        while not ImportRun.objects.filter(n_rows__gte=kill * import_loop.BATCH).exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed = ImportRun.objects.get()
        assert killed.status == ImportRun.Status.RUNNING
        assert killed.n_rows < n
        assert Product.objects.count() == killed.n_created

    process = _command("import_products", str(path))
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    run = ImportRun.objects.get()
    assert (run.status, run.n_rows, run.n_created) == (ImportRun.Status.COMPLETED, n, n - len(bad))
    assert (run.n_updated, run.n_unchanged, run.n_bad) == (0, 0, len(bad))
    assert Product.objects.count() == n - len(bad)
    assert ProductFact.objects.count() == 3 * Product.objects.count()
    assert [int(error["line"]) for error in _errors(run)] == bad
    assert f"{n - len(bad):,}" in out
    assert f"had stopped after {killed.n_rows:,} rows; this one went on from there" in " ".join(out.split())
    assert run.error_file in out
    assert verify().is_intact


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_says_how_to_resume(tmp_path: Path) -> None:
    path = _jsonl(tmp_path / "p.jsonl", [_line(n) for n in range(1, 60_001)])
    process = _command("import_products", str(path))
    while ImportRun.objects.filter(n_rows__gte=400).count() == 0:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Run the same command again to resume" in err
    assert "Traceback" not in err
    assert ImportRun.objects.get().status == ImportRun.Status.INTERRUPTED


@pytest.mark.django_db(transaction=True)
def test_the_same_file_is_imported_by_one_process_at_a_time(tmp_path: Path) -> None:
    path = _jsonl(tmp_path / "p.jsonl", [_line(n) for n in range(1, 60_001)])
    process = _command("import_products", str(path))
    while ImportRun.objects.filter(n_rows__gte=200).count() == 0:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    with pytest.raises(TransientError, match="another process"):
        import_products(path, actor=ACTOR)
    process.kill()
    process.communicate()


def test_the_commands_say_what_came_of_it_and_fail_without_a_traceback(tmp_path: Path, capsys: Any) -> None:
    path = _jsonl(tmp_path / "p.jsonl", [_line(1), "{"])
    call_command("import_products", str(path))
    out = capsys.readouterr().out
    assert "products from p.jsonl" in out
    assert "1 rows were not taken" in out
    with pytest.raises(CommandError, match="no file"):
        call_command("import_reviews", str(tmp_path / "absent.jsonl"))


def test_reviews_are_linked_to_their_product_and_not_taken_twice(tmp_path: Path) -> None:
    rows = [
        {"sku": "P-00001", "text": "Lovely light", "rating": 5},
        {"sku": "P-00001", "text": "Lovely light", "rating": 5},
        {"sku": "NOT-YET", "text": "太暗了", "external_id": "r-2"},
        {"text": ""},
    ]
    path = _jsonl(tmp_path / "r.jsonl", rows)
    import_products(_jsonl(tmp_path / "p.jsonl", [_line(1)]), actor=ACTOR)
    run = import_reviews(path, actor=ACTOR)
    assert _counts(run) == (4, 2, 0, 0, 1, 1)
    assert CustomerReview.objects.get(rating=5).product == Product.objects.get()
    assert CustomerReview.objects.get(external_id="r-2").locale == "zh-Hans"
    import_products(_jsonl(tmp_path / "q.jsonl", [_line(2, sku="NOT-YET")]), actor=ACTOR)
    again = import_reviews(path, actor=ACTOR)
    assert _counts(again) == (4, 0, 1, 1, 1, 1)
    assert CustomerReview.objects.get(external_id="r-2").product == Product.objects.get(sku="NOT-YET")


def test_it_imports_the_real_shopify_samples() -> None:
    counts = {}
    for path in sorted(_real("shopify_samples").glob("*.csv")):
        counts[path.stem] = import_products(path, actor=ACTOR)
    assert {name: run.n_bad for name, run in counts.items()} == {"apparel": 0, "home-and-garden": 0, "jewelery": 0}
    pot = Product.objects.get(sku="clay-plant-pot")
    assert (pot.title, pot.description, pot.price) == (
        "Clay Plant Pot",
        "Classic blown clay pot for plants",
        Decimal("9.99"),
    )
    assert pot.facts.get().value == "Regular, Large"


def test_it_imports_700_real_products_through_a_mapping() -> None:
    run = import_products(
        _real("amazon_products_1k/products.csv"), mapping=MAPPINGS / "amazon_products.toml", actor=ACTOR
    )
    assert (run.n_rows, run.n_created, run.n_bad) == (700, 700, 0)
    assert run.feed_format.startswith("csv:")
    board = Product.objects.get(sku="4c69b61db1fc16e7013b43fc926e502d")
    assert (board.price, board.currency) == (Decimal("237.68"), "USD")
    assert board.category.startswith("Sports & Outdoors > Outdoor Recreation > ")
    weight = board.facts.get(name="shipping weight")
    assert (weight.kind, weight.number, weight.unit) == ("quantity", Decimal("10.7"), "lb")
    weights = ProductFact.objects.filter(name="shipping weight")
    assert weights.exclude(kind="quantity").count() == 0
    assert weights.count() > 600


def test_it_imports_2173_real_products_through_a_mapping() -> None:
    run = import_products(_real("abtbuy_crowd/products.csv"), mapping=MAPPINGS / "abtbuy_products.toml", actor=ACTOR)
    assert (run.n_rows, run.n_created, run.n_bad) == (2173, 2173, 0)


def test_it_imports_real_reviews_through_a_mapping(tmp_path: Path) -> None:
    with (
        _real("womens_clothing/reviews.csv").open(newline="") as stream,
        (tmp_path / "r.csv").open("w", newline="") as sample,
    ):
        writer = csv.writer(sample)
        for n, row in enumerate(csv.reader(stream)):
            if n > 2000:
                break
            writer.writerow(row)
    run = import_reviews(tmp_path / "r.csv", mapping=MAPPINGS / "womens_clothing_reviews.toml", actor=ACTOR)
    assert run.n_rows == 2000
    assert run.n_bad == 0
    assert CustomerReview.objects.count() == run.n_created == 2000 - run.n_duplicates
