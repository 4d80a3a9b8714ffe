"""Over the whole space of Label Studio's JSON: an import ends well, and what a bad task did not name stays as it was."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from catalog.models import CustomerReview
from core.actors import SystemActor
from core.refs import ref
from labeling.models import Label, Vote
from moderation.label_exchange.importing import File, import_labels
from moderation.label_exchange.preview import preview_labels
from tests.label_studio_exports import picked, span, task, tasks_of

pytestmark = pytest.mark.django_db
ACTOR = SystemActor("tests")
# What JSON can hold, and what those hold who wrote it by mistake.
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**62)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "",
            "\x00",
            "\ud800",
            "x" * 60_000,
            "Positive",
            "negative",
            "0001-01-01T00:00:00+14:00",
            "1e400",
            "9999-12-31T23:59:59-12:00",
            10**400,
            1e308,
            -1,
            1_590_000_000,
            "2026-02-30",
            "ann@example.com",
        ]
    )
)
KEYS = st.sampled_from(
    [
        "data",
        "text",
        "annotations",
        "completions",
        "result",
        "value",
        "choices",
        "from_name",
        "type",
        "start",
        "labels",
        "meta",
        "rater",
        "annotated_at",
        "completed_by",
        "updated_by",
        "email",
        "id",
        "lead_time",
        "created_at",
        "updated_at",
        "was_cancelled",
        "sentiment",
        "label",
        "votes",
        "external_id",
        "subject",
        "sku",
        "title",
        "locale",
        "rating",
        "annotator",
        "annotation_id",
        "Text",
    ]
) | st.text(max_size=5)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
WHOLE = [
    task("Whole", picked("Positive"), span(0), updated_by=2),
    tasks_of("Whole", [{"result": [{**picked("Negative"), "meta": {"rater": "a"}}]}, {"result": [picked("Neutral")]}]),
    {
        "text": "Whole",
        "sentiment": "Positive",
        "annotator": 1,
        "annotation_id": 1,
        "updated_at": "2026-01-02T10:00:00Z",
    },
]


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value within `value`."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(way for key, one in inner for way in places(one, (*at, key)))]


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A task with anything in any places of it; or anything at all."""
    found: Any = copy.deepcopy(draw(st.sampled_from(WHOLE)))
    for _ in range(draw(st.integers(0, 3))):
        way = draw(st.sampled_from(places(found)))
        if not way:
            return draw(ANYTHING)
        inner = found
        for key in way[:-1]:
            inner = inner[key]
        inner[way[-1]] = draw(ANYTHING)
    return found


def told() -> tuple[set[tuple[str, str]], set[tuple[str, str, str]]]:
    """What is held of the reviews of good tasks: texts with labels, texts with what each rater said."""
    texts = {ref(row): row.text for row in CustomerReview.objects.filter(text__startswith="Good ")}
    votes = Vote.objects.filter(subject__in=texts).values_list("subject", "rater", "label")
    found = Label.objects.filter(subject__in=texts).values_list("subject", "label")
    return {(texts[s], label) for s, label in found}, {(texts[s], rater, label) for s, rater, label in votes}


@example([task("Odd", picked("Positive"), updated_at="0001-01-01T00:00:00+14:00")])
@example([task("Odd", picked("Positive"), updated_at="9999-12-31T23:59:59-12:00")])
@example([task("Odd", {**picked("Positive"), "value": "choices"}), {"data": 10**400, "annotations": {}}])
@given(st.lists(damaged(), min_size=1, max_size=4))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_whatever_an_export_holds_the_import_ends_and_the_good_tasks_are_in(bad: list[Any]) -> None:
    good = [task(f"Good {n}", picked(("Positive", "Negative")[n % 2])) for n in range(len(bad) + 1)]
    mixed = [one for pair in zip(good, bad, strict=False) for one in pair] + good[-1:]
    with tempfile.TemporaryDirectory() as folder, transaction.atomic():
        clean, path = Path(folder) / "clean.json", Path(folder) / "x.json"
        clean.write_text(json.dumps(good))
        path.write_text(json.dumps(mixed))
        assert import_labels(File(clean), actor=ACTOR).n_bad == 0
        expected = told()
        Vote.objects.all().delete(), Label.objects.all().delete(), CustomerReview.objects.all().delete()
        preview = preview_labels(File(path), actor=ACTOR)
        run = import_labels(File(path), actor=ACTOR)
        assert run.status == "completed"
        assert told() == expected
        assert (run.n_rows, run.n_bad) == (preview.n_rows, preview.n_bad), "a dry run says what comes"
        # What is stored can be read, and the same file again changes nothing.
        for model in (CustomerReview, Vote, Label):
            list(model.objects.values())
        again = import_labels(File(path), actor=ACTOR)
        assert (again.n_created, again.n_updated) == (0, 0)
        transaction.set_rollback(True)
