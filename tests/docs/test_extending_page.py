"""The examples of docs/extending.md are run: each does what the page says it does."""

from __future__ import annotations

import importlib
import random
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.test import RequestFactory
from django.utils import timezone
from django.utils.html import escape

from catalog.feeds import detection
from catalog.feeds.mapping import read_mapping
from core.actors import SystemActor
from core.files import open_source
from core.loading import load_class
from core.refs import ref
from inference.contracts import TextClassifier
from labeling import label_config
from labeling.question import question, queue_names
from moderation.decisions import settling
from moderation.models.reviews import ReviewItem
from moderation.policy import base, packs, rules
from outbox import endpoints
from outbox.models import Delivery, Event
from questions.declared.question import declared_question
from tests import factories, people
from training import augmentation
from training.trainers.contracts import Labelled

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(?:python|yaml|toml|html)\n(?:# |\{# )(\S+)(?: #\})?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = {match[1]: match[2] for match in BLOCK.finditer(PAGE)}
Module = Callable[[str], ModuleType]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder with every example in the file that the page names."""
    for name, text in EXAMPLES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def module(written: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Module]:
    """Import an example of code, by its name in the package `shop`."""
    monkeypatch.syspath_prepend(written)
    yield lambda name: importlib.import_module(f"shop.{name}")
    for name in [name for name in sys.modules if name.split(".")[0] == "shop"]:
        del sys.modules[name]


def test_every_example_names_its_file_and_is_run() -> None:
    assert len(EXAMPLES) == len(re.findall(r"^```\w+$", PAGE, re.MULTILINE))
    tests = Path(__file__).read_text(encoding="utf-8")
    unread = [name for name in EXAMPLES if f'"{Path(name).stem}"' not in tests and f'"{name}"' not in tests]
    assert not unread


def test_a_file_declares_a_question(written: Path, settings: Any) -> None:
    settings.QUESTIONS_DIR = str(written)
    settings.QUESTIONS = {**settings.QUESTIONS, "packaging": "questions.declared.packaging"}
    asked = declared_question("packaging")
    label_config.validate(asked)
    assert list(asked.labels) == ["wasteful", "right"]
    assert "packaging" in queue_names()


def test_a_class_is_a_question(module: Module, settings: Any) -> None:
    module("urgency")
    settings.QUESTIONS = {**settings.QUESTIONS, "urgency": "shop.urgency.Urgency"}
    label_config.validate(question("urgency"))
    assert "urgency" in queue_names()


@pytest.mark.django_db
def test_a_class_is_something_to_ask_about(module: Module, written: Path, settings: Any) -> None:
    module("live_texts")
    settings.SUBJECTS = {**settings.SUBJECTS, "live_text": "shop.live_texts.LiveText"}
    (written / "tone.yaml").write_text((written / "packaging.yaml").read_text().replace("review", "live_text"))
    text = (written / "tone.yaml").read_text().replace("name: packaging", "name: tone")
    (written / "tone.yaml").write_text(text)
    settings.QUESTIONS_DIR = str(written)
    settings.QUESTIONS = {**settings.QUESTIONS, "tone": "questions.declared.tone"}
    live, taken_down = factories.published_copy(), factories.published_copy()
    type(live).objects.filter(pk=taken_down.pk).update(retired_at=timezone.now())
    assert settling.open_reviews() == 1
    item = ReviewItem.objects.get()
    assert (item.subject, item.words, item.locale) == (live, live.text, "en")
    assert escape(live.text) in item.labeling_task.payload["live_text_html"]


def test_a_pack_is_read_and_its_examples_hold(written: Path) -> None:
    pack = packs.parse_pack(
        yaml.safe_load((written / "moderation/policy/packs/shop.yaml").read_text()), name="shop.yaml"
    )
    check = rules.PolicyRulesCheck([pack])
    (rule,) = pack.rules
    found = [bool(check.find(base.Draft(text, "description", "en", "Mug"))) for text in ("At Globomart.", "A globe.")]
    assert (rule.id, found) == ("rival", [True, False])


def test_a_check_finds_its_place_in_the_text(module: Module, settings: Any) -> None:
    module("checks")
    settings.POLICY_CHECKS = ["shop.checks.ShoutingCheck"]
    draft = base.Draft("A mug that is GREAT today", "description", "en", "Mug")
    (result,) = base.run_checks(draft, base.load_checks())
    (hit,) = result.hits
    assert (hit.code, draft.text[hit.start : hit.end]) == ("style_shouting", "GREAT")


def test_a_back_end_answers(module: Module) -> None:
    module("by_words")
    kind: Any = load_class("shop.by_words.ByWords", TextClassifier)
    found = kind(directory=None, options={"words": ["broken"]}).classify(["It came broken", "Lovely"])
    assert [one.label for one in found] == ["negative", "positive"]


def test_an_augmenter_changes_copies(module: Module, settings: Any) -> None:
    assert module("augmenters").without_stop("Good.", random.Random(0)) == "Good"
    settings.TRAINING = replace(settings.TRAINING, augmenters=["shop.augmenters.without_stop"])
    grown = augmentation.augment(Labelled(["Good.", "Bad."], [0, 1]), share=1, seed=0)
    assert sorted(grown.texts) == ["Bad", "Bad.", "Good", "Good."]


def test_a_trainer_fits(module: Module, tmp_path: Path) -> None:
    told: list[int] = []
    figures = module("frequency").fit(
        Labelled(["a", "b", "c"], [0, 0, 1]),
        Labelled(["d", "e"], [0, 1]),
        labels=["yes", "no"],
        into=tmp_path / "model",
        watch=lambda done, of, found: told.append(done),
    )
    assert (figures, told) == ({"eval_accuracy": 0.5}, [1])
    assert (tmp_path / "model" / "shares.json").is_file()


def test_a_mapping_says_which_column_is_which(written: Path) -> None:
    table = written / "till.csv"
    table.write_text("Item No;Name;Groups;Weight\nK-1;Copper Kettle;Kitchen|Kettles;820\n", encoding="utf-8")
    with open_source(table) as source:
        (row,) = detection.products_of(source, feed_format="csv", mapping=read_mapping(written / "till.toml"))
    assert row.record is not None, row.error
    assert (row.record.sku, row.record.category) == ("K-1", "Kitchen > Kettles")
    assert [(fact.name, fact.unit) for fact in row.record.facts] == [("weight", "g")]


def test_a_reader_takes_good_rows_and_names_bad_ones(module: Module, written: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(detection.PRODUCT_READERS, "till", module("till").read_products)
    (written / "list.txt").write_text("K-1|Copper Kettle|Fenmoor\n|No number|\n", encoding="utf-8")
    with open_source(written / "list.txt") as source:
        good, bad = detection.products_of(source, feed_format="till", mapping=None)
    assert good.record is not None
    assert (good.record.sku, good.record.brand) == ("K-1", "Fenmoor")
    assert (bad.line, bad.error) == (2, "the sku is empty")


@pytest.mark.django_db
def test_an_event_is_delivered_to_who_subscribed(module: Module, settings: Any) -> None:
    types = {**settings.OUTBOX.event_types, "product.priced": "the price of a product changed"}
    settings.OUTBOX = replace(settings.OUTBOX, event_types=types, allow_private=True)
    endpoints.add_endpoint("http://127.0.0.1:9/", event_types=("product.priced",), actor=SystemActor("tests"))
    product = factories.product()
    with transaction.atomic():
        module("announcements").product_priced(product)
    event = Event.objects.get()
    assert event.data == {"product": ref(product), "sku": product.sku}
    assert Delivery.objects.filter(event=event).count() == 1


@pytest.mark.django_db
def test_a_page_is_shown_to_who_may_see_it_and_to_nobody_else(module: Module, written: Path, settings: Any) -> None:
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [*engine["DIRS"], written / "ecomsite" / "templates"]}]
    request: Any = RequestFactory().get("/console/shelf/")
    request.user = people.outsider()
    with pytest.raises(PermissionDenied):
        module("shelf").shelf(request)
    request.user = people.auditor()
    assert b"0 texts are live." in module("shelf").shelf(request).content
