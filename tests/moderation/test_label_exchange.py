"""Sentiment labels come in and go out: nothing is lost, nobody is named, and our own people's word stays."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from audit.models import LedgerEntry
from audit.verification import verify
from catalog.models import CustomerReview, ImportRun
from core.actors import SystemActor
from core.exceptions import PermanentError, TransientError
from core.refs import ref
from labeling import labels
from labeling.exchange.formats import open_file
from labeling.models import Label, Vote
from moderation.label_exchange import exporting, importing
from moderation.label_exchange.exporting import export_labels
from moderation.label_exchange.importing import File, import_labels
from moderation.label_exchange.preview import preview_labels
from moderation.label_exchange.records import Rules
from moderation.models.reviews import ReviewItem
from tests import factories, people

pytestmark = pytest.mark.django_db
ACTOR = SystemActor("tests")
KIND = "sentiment"
each_format = pytest.mark.parametrize("file_format", ["ls-json", "csv", "jsonl", "hf"])


def save(path: Path, rows: list[dict[str, Any]], file_format: str = "jsonl", control: str = "sentiment") -> Path:
    """Write `rows` as others would write them in `file_format`."""
    if file_format == "csv":
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(dict.fromkeys(name for row in rows for name in row)))
            writer.writeheader()
            writer.writerows(rows)
    elif file_format == "jsonl":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    elif file_format == "hf":
        import datasets

        names = list(dict.fromkeys(name for row in rows for name in row))
        datasets.Dataset.from_dict({name: [row.get(name) for row in rows] for name in names}).save_to_disk(str(path))
    else:
        tasks = []
        for row in rows:
            result = [{"from_name": control, "to_name": "x", "type": "choices", "value": {"choices": [row["label"]]}}]
            annotation = (
                {"result": result, "completed_by": {"email": row["rater"]}} if "rater" in row else {"result": result}
            )
            data = {name: value for name, value in row.items() if name not in ("label", "rater")}
            tasks.append({"data": data, "annotations": [annotation]})
        path.write_text(json.dumps(tasks))
    return path


def bring(path: Path, *, file_format: str = "", gold: bool = False, **rules: Any) -> ImportRun:
    """Import a file."""
    return import_labels(File(path, Rules(**rules), file_format), gold=gold, actor=ACTOR)


def counts(run: ImportRun) -> tuple[int, int, int, int, int, int]:
    """Rows: all, created, updated, unchanged, duplicates, bad."""
    return run.n_rows, run.n_created, run.n_updated, run.n_unchanged, run.n_duplicates, run.n_bad


def reasons(run: ImportRun) -> dict[int, str]:
    """Line → why it was not taken."""
    with Path(run.error_file).open(newline="") as stream:
        return {int(row["line"]): row["reason"] for row in csv.DictReader(stream)}


def labelled() -> dict[str, str]:
    """Text → label."""
    texts = {ref(review): review.text for review in CustomerReview.objects.all()}
    return {
        texts[subject]: label for subject, label in Label.objects.filter(question=KIND).values_list("subject", "label")
    }


# --- In ----------------------------------------------------------------------------------------------------------


@each_format
def test_labels_come_in_from_each_format(tmp_path: Path, file_format: str) -> None:
    factories.product(sku="MUG-1")
    rows = [
        {
            "text": "Keeps tea hot.",
            "label": "positive",
            "rater": "ann@example.com",
            "sku": "MUG-1",
            "title": "Good",
            "rating": "5",
        },
        {
            "text": "Keeps tea hot.",
            "label": "Negative",
            "rater": "bob@example.com",
            "sku": "MUG-1",
            "title": "Good",
            "rating": "5",
        },
        {
            "text": "Keeps tea hot.",
            "label": "positive",
            "rater": "cid@example.com",
            "sku": "MUG-1",
            "title": "Good",
            "rating": "5",
        },
        {"text": "它坏了。", "label": "negative", "rater": "ann@example.com", "sku": "", "title": "", "rating": ""},
    ]
    run = bring(save(tmp_path / "x", rows, file_format), file_format=file_format)
    assert counts(run) == (4, 4, 0, 0, 0, 0)
    assert run.counts == {"texts": 2, "kept": 0, "ties": 0, "labels": 2}
    assert labelled() == {"Keeps tea hot.": "positive", "它坏了。": "negative"}
    review = CustomerReview.objects.get(text="Keeps tea hot.")
    assert (review.product and review.product.sku, review.title, review.rating, review.locale) == (
        "MUG-1",
        "Good",
        5,
        "en",
    )
    assert CustomerReview.objects.get(text="它坏了。").locale == "zh-Hans"
    assert Counter(Vote.objects.values_list("source", flat=True)) == {f"import:{run.pk}": 4}
    raters = Counter(Vote.objects.values_list("rater", flat=True))
    assert sorted(raters.values()) == [1, 1, 2], "the same name is the same person"
    assert all(rater.startswith("import:") and "@" not in rater for rater in raters)


def test_columns_and_labels_may_have_other_names(tmp_path: Path) -> None:
    rows = [{"body": "Good", "stars": 5}, {"body": "Bad", "stars": 1}, {"body": "Meh", "stars": 3}]
    columns, mapped = {"text": "body", "label": "stars"}, {"5": "positive", "1": "negative"}
    run = bring(save(tmp_path / "x.jsonl", rows), columns=columns, labels=mapped)
    assert labelled() == {"Good": "positive", "Bad": "negative"}
    assert reasons(run) == {3: "the label '3' is none of positive, neutral, negative"}


def test_answers_to_another_control_of_label_studio_are_found_by_its_name(tmp_path: Path) -> None:
    path = save(tmp_path / "x.json", [{"text": "Good", "label": "Pos", "rater": "1"}], "ls-json", control="feeling")
    bring(path, columns={"label": "feeling"}, labels={"Pos": "positive"})
    assert labelled() == {"Good": "positive"}


def test_every_row_that_cannot_be_taken_is_named_and_the_rest_goes_in(tmp_path: Path) -> None:
    known = factories.customer_review("Known", external_id="r-1")
    rows: list[dict[str, Any]] = [
        {"text": "Good", "label": "positive"},
        {"text": " ", "label": "positive"},
        {"text": "Good", "label": "splendid"},
        {"text": "Good", "label": ""},
        {"external_id": "r-2", "label": "positive"},
        {"external_id": "r-1", "text": "Something else", "label": "positive"},
        {"subject": "moderation.candidate:1", "label": "positive"},
        {"subject": f"{ref(known)}", "label": "negative", "seconds": "-3"},
        {"text": "Bad", "label": "negative", "annotated_at": "soon"},
        {"text": "Bad", "label": ["negative", "positive"]},
        {"text": "Good", "label": "negative"},
        {"text": "Good", "label": "positive"},
        {"subject": ref(known), "label": "neutral"},
    ]
    run = bring(save(tmp_path / "x.jsonl", rows))
    assert counts(run) == (13, 2, 0, 0, 1, 10)
    assert labelled() == {"Good": "positive", "Known": "neutral"}
    said = reasons(run)
    assert said == {
        2: "the text is empty",
        3: "the label 'splendid' is none of positive, neutral, negative",
        4: "there is no label",
        5: "there is no customer review r-2",
        6: "the customer review r-1 has another text",
        7: "the subject 'moderation.candidate:1' is no customer review",
        8: "the seconds '-3' are no number from 0 to 31,622,400",
        9: "annotated_at 'soon' is no ISO 8601 date or time",
        10: "label has 2 values instead of one",
        11: "line 1 has the same key and other content; the first of such rows counts",
    }


def test_a_review_named_in_two_ways_gets_one_vote_a_rater(tmp_path: Path) -> None:
    review = factories.customer_review("Known", external_id="r-1")
    rows = [
        {"external_id": "r-1", "label": "positive", "rater": "ann"},
        {"subject": ref(review), "label": "positive", "rater": "ann"},
        {"external_id": "r-1", "label": "positive", "rater": "bob"},
        {"subject": ref(review), "label": "negative", "rater": "bob"},
    ]
    run = bring(save(tmp_path / "x.jsonl", rows))
    assert counts(run) == (4, 2, 0, 1, 0, 1)
    assert "in the name of the same rater" in reasons(run)[4]


def test_raters_who_are_split_evenly_leave_a_review_without_a_label(tmp_path: Path) -> None:
    rows = [
        {"text": text, "label": label, "rater": rater}
        for text, label, rater in [("Even", "positive", "a"), ("Even", "negative", "b"), ("Clear", "neutral", "a")]
    ]
    run = bring(save(tmp_path / "x.jsonl", rows))
    assert run.counts == {"texts": 2, "kept": 0, "ties": 1, "labels": 1}
    assert labelled() == {"Clear": "neutral"}


def test_votes_on_one_text_may_lie_far_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    rows = [
        {"text": f"Text {n}", "label": label, "rater": rater}
        for rater, label in (("a", "positive"), ("b", "negative"), ("c", "negative"))
        for n in range(5)
    ]
    run = bring(save(tmp_path / "x.jsonl", rows))
    assert run.counts == {"texts": 5, "kept": 0, "ties": 0, "labels": 5}
    assert set(labelled().values()) == {"negative"}
    assert set(Label.objects.values_list("n_votes", flat=True)) == {3}


def test_what_our_own_people_decided_is_kept_and_counted(tmp_path: Path) -> None:
    review = factories.customer_review("Known", external_id="r-1")
    labels.record_label(
        KIND, ref(review), label="neutral", method="single", quality=None, n_votes=1, at=review.created_at
    )
    run = bring(
        save(tmp_path / "x.jsonl", [{"external_id": "r-1", "label": "positive"}, {"text": "New", "label": "positive"}])
    )
    assert run.counts == {"texts": 1, "kept": 1, "ties": 0, "labels": 1}
    assert labelled() == {"Known": "neutral", "New": "positive"}
    assert Label.objects.get(subject=ref(review)).source == "label_studio"


def test_nobody_can_be_impersonated(tmp_path: Path) -> None:
    person = people.reviewer()
    review = factories.customer_review("Known", external_id="r-1")
    labels.record_vote(
        KIND, ref(review), rater=labels.rater_of(person), label="neutral", purpose="label", at=review.created_at
    )
    names = [labels.rater_of(person), person.username, person.email, str(person.pk)]
    bring(save(tmp_path / "x.jsonl", [{"external_id": "r-1", "label": "positive", "rater": name} for name in names]))
    assert Vote.objects.get(rater=labels.rater_of(person)).label == "neutral"
    assert all(
        rater.startswith("import:") for rater in Vote.objects.exclude(label="neutral").values_list("rater", flat=True)
    )


def test_raters_of_two_pools_are_different_people(tmp_path: Path) -> None:
    path = save(tmp_path / "x.jsonl", [{"text": "Good", "label": "positive", "rater": "1"}])
    bring(path, pool="crowd")
    bring(path, pool="office")
    assert Vote.objects.values("rater").distinct().count() == 2


def test_importing_a_file_again_changes_nothing_and_a_mended_one_only_what_differs(tmp_path: Path) -> None:
    rows = [{"text": f"Text {n}", "label": "positive", "rater": "a"} for n in range(3)] + [
        {"text": "Bare", "label": "neutral"}
    ]
    bring(save(tmp_path / "x.jsonl", rows))
    before = list(Vote.objects.values()), list(Label.objects.values())
    assert counts(bring(tmp_path / "x.jsonl")) == (4, 0, 0, 4, 0, 0)
    assert (list(Vote.objects.values()), list(Label.objects.values())) == before
    mended = [{**rows[0], "label": "negative"}, *rows[1:3], {**rows[3], "label": "positive"}]
    assert counts(bring(save(tmp_path / "y.jsonl", mended))) == (4, 0, 2, 2, 0, 0)
    assert labelled() == {"Text 0": "negative", "Text 1": "positive", "Text 2": "positive", "Bare": "positive"}


def test_an_interrupted_import_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 10)
    rows = [
        {"text": f"Text {n % 30}", "label": ("positive", "negative")[n % 7 == 0], "rater": f"r{n // 30}"}
        for n in range(95)
    ]
    rows[50]["label"] = "?"
    path = save(tmp_path / "x.jsonl", [*rows, rows[3]])

    def stop(run: ImportRun, share: float) -> None:
        if run.n_rows >= 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_labels(File(path), actor=ACTOR, on_progress=stop)
    assert ImportRun.objects.get().status == "interrupted"
    run = import_labels(File(path), actor=ACTOR)
    assert ImportRun.objects.count() == 1
    assert counts(run) == (96, 94, 0, 0, 1, 1)
    assert run.counts["texts"] == 30
    assert list(reasons(run)) == [51]
    in_parts = sorted(Label.objects.values_list("label", "method", "quality", "n_votes"))
    Label.objects.all().delete(), Vote.objects.all().delete(), CustomerReview.objects.all().delete()
    import_labels(File(path), actor=ACTOR)
    assert sorted(Label.objects.values_list("label", "method", "quality", "n_votes")) == in_parts


def test_the_same_file_read_in_another_way_is_another_import(tmp_path: Path) -> None:
    path = save(tmp_path / "x.jsonl", [{"text": "Good", "label": "1"}])
    assert bring(path).n_bad == 1
    assert bring(path, labels={"1": "positive"}).n_bad == 0


def test_a_wrong_file_or_rule_leaves_no_run_behind(tmp_path: Path) -> None:
    path = save(tmp_path / "x.csv", [{"body": "Good", "stars": "5"}], "csv")
    for rules in ({}, {"columns": {"text": "nowhere"}}, {"columns": {"colour": "body"}}, {"labels": {"5": "splendid"}}):
        with pytest.raises(PermanentError):
            bring(path, **rules)
    assert not ImportRun.objects.exists()


def test_a_dry_run_counts_and_writes_nothing(tmp_path: Path) -> None:
    review = factories.customer_review("Known", external_id="r-1")
    labels.record_label(
        KIND, ref(review), label="neutral", method="single", quality=None, n_votes=1, at=review.created_at
    )
    rows = [
        {"text": "Good", "label": "positive", "rater": "a"},
        {"text": "Good", "label": "positive", "rater": "b"},
        {"text": "Even", "label": "positive", "rater": "a"},
        {"text": "Even", "label": "negative", "rater": "b"},
        {"text": "Bare", "label": "negative"},
        {"text": "Bare", "label": "negative"},
        {"text": "Bare", "label": "what"},
        {"text": "Worse", "label": "what"},
        {"external_id": "r-1", "label": "positive"},
        {"external_id": "r-9", "label": "positive"},
    ]
    path = save(tmp_path / "x.jsonl", rows)
    before = LedgerEntry.objects.count()
    preview = preview_labels(File(path), actor=ACTOR)
    assert (preview.n_rows, preview.n_duplicates, preview.n_bad, preview.n_ties, preview.n_kept) == (10, 1, 3, 1, 1)
    assert (preview.n_new, preview.n_known) == (3, 1)
    assert preview.labels == {"positive": 2, "negative": 1}
    assert preview.reasons["the label 'what' is none of positive, neutral, negative"] == (2, 7)
    assert (CustomerReview.objects.count(), Vote.objects.count(), Label.objects.count()) == (1, 0, 1)
    assert LedgerEntry.objects.count() == before
    run = import_labels(File(path), actor=ACTOR)
    assert (run.n_rows, run.n_duplicates, run.n_bad) == (10, 1, 3)
    assert (run.counts["texts"], run.counts["ties"], run.counts["kept"]) == (3, 1, 1)


def test_gold_labels_become_tests_of_our_people(tmp_path: Path) -> None:
    asked = factories.customer_review("Asked before", external_id="r-1")
    factories.review_item(asked)
    rows = [
        {"text": "Good", "label": "positive"},
        {"text": "Bad", "label": "negative"},
        {"external_id": "r-1", "label": "neutral"},
    ]
    run = bring(save(tmp_path / "x.jsonl", rows), gold=True)
    assert run.counts["gold"] == 2
    items = ReviewItem.objects.filter(purpose=Vote.Purpose.GOLD).select_related("customer_review", "labeling_task")
    assert {(i.customer_review.text, i.gold_label, i.status) for i in items if i.customer_review} == {
        ("Good", "positive", "waiting"),
        ("Bad", "negative", "waiting"),
    }
    assert all(item.labeling_task and not item.labeling_task.shows_predictions for item in items)
    assert bring(tmp_path / "x.jsonl", gold=True).counts["gold"] == 0, "once is enough"


def test_a_whole_data_set_is_no_sample_of_known_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MOST_GOLD", 2)
    with pytest.raises(PermanentError, match="more than 2 rows"):
        bring(save(tmp_path / "x.jsonl", [{"text": f"Text {n}", "label": "positive"} for n in range(3)]), gold=True)
    assert not CustomerReview.objects.exists()


# --- Out ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def decided() -> Callable[[int], list[CustomerReview]]:
    """Return a function that makes reviews that two people labelled."""

    def make(n: int) -> list[CustomerReview]:
        reviews = [factories.customer_review(f"=Text {i}", external_id=f"r-{i}", title=f"Title {i}") for i in range(n)]
        for i, review in enumerate(reviews):
            for rater, label in (("user:71", "positive"), ("user:72", ("positive", "negative")[i % 2])):
                labels.record_vote(
                    KIND, ref(review), rater=rater, label=label, purpose="label", at=review.created_at, seconds=3.5
                )
            labels.record_label(
                KIND, ref(review), label="positive", method="dawid_skene", quality=0.75, n_votes=2, at=review.created_at
            )
        return reviews

    return make


@each_format
def test_an_export_imported_elsewhere_says_the_same(tmp_path: Path, decided: Any, file_format: str) -> None:
    decided(7)
    done = export_labels(tmp_path / "x", question=KIND, file_format=file_format, with_votes=True, actor=ACTOR)
    assert (done.n_rows, done.n_gone) == (7, 0)
    raters = set(Vote.objects.values_list("rater", flat=True))
    votes = Counter(Vote.objects.values_list("subject", "label", "seconds", "voted_at"))
    texts = dict(CustomerReview.objects.values_list("external_id", "text"))
    Label.objects.all().delete(), Vote.objects.all().delete()
    run = bring(tmp_path / "x", file_format=file_format)
    assert run.n_bad == 0
    assert run.counts["texts"] == 0
    assert dict(CustomerReview.objects.values_list("external_id", "text")) == texts
    assert Counter(Vote.objects.values_list("subject", "label", "seconds", "voted_at")) == votes
    assert not raters & set(Vote.objects.values_list("rater", flat=True)), "nobody comes back by their name"
    assert Vote.objects.values("rater").distinct().count() == 2
    if file_format != "ls-json":  # there an answer is somebody's: the label is what most of them say
        assert Counter(labelled().values()) == {"positive": 7}
    Label.objects.all().delete(), Vote.objects.all().delete(), CustomerReview.objects.all().delete()
    assert bring(tmp_path / "x", file_format=file_format).counts["texts"] == 7, "and where the reviews are not known"
    assert dict(CustomerReview.objects.values_list("external_id", "text")) == texts


@each_format
@pytest.mark.parametrize("with_votes", [True, False])
def test_an_export_imported_again_here_changes_nothing(
    tmp_path: Path, decided: Any, file_format: str, with_votes: bool
) -> None:
    decided(4)
    before = list(Vote.objects.values()), list(Label.objects.values())
    export_labels(tmp_path / "x", question=KIND, file_format=file_format, with_votes=with_votes, actor=ACTOR)
    run = bring(tmp_path / "x", file_format=file_format)
    assert (run.n_created, run.n_updated, run.n_bad) == (0, 0, 0)
    assert (list(Vote.objects.values()), list(Label.objects.values())) == before


def test_people_are_under_the_same_pseudonym_in_each_export(tmp_path: Path, decided: Any, settings: Any) -> None:
    decided(2)

    def raters(name: str) -> set[str]:
        export_labels(tmp_path / name, question=KIND, with_votes=True, actor=ACTOR)
        rows = map(json.loads, (tmp_path / name).read_text().splitlines())
        return {vote["rater"] for row in rows for vote in row["votes"]}

    one = raters("a.jsonl")
    assert len(one) == 2
    assert not [name for name in one if "71" in name.split("-")[0] or "user" in name]
    assert raters("b.jsonl") == one
    settings.SECRET_KEY = "another key, fifty characters long or more, of whatever"
    assert not raters("c.jsonl") & one
    settings.SECRET_KEY_IS_TEMPORARY = True
    with pytest.raises(PermanentError, match="SECRET_KEY"):
        raters("d.jsonl")


@pytest.mark.parametrize("file_format", ["ls-json", "csv", "jsonl"])
def test_the_same_export_has_the_same_hash(tmp_path: Path, decided: Any, file_format: str) -> None:
    decided(3)
    hashes = {
        export_labels(tmp_path / name, question=KIND, file_format=file_format, with_votes=True, actor=ACTOR).file_hash
        for name in ("a", "b")
    }
    assert len(hashes) == 1


def test_an_export_that_was_interrupted_goes_on(tmp_path: Path, decided: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 3)
    decided(11)
    export_labels(tmp_path / "whole.jsonl", question=KIND, actor=ACTOR)

    def stop(n_rows: int, share: float) -> None:
        if n_rows >= 6:
            raise KeyboardInterrupt

    target = tmp_path / "x.jsonl"
    with pytest.raises(KeyboardInterrupt):
        export_labels(target, question=KIND, actor=ACTOR, on_progress=stop)
    assert not target.exists()
    with (tmp_path / "x.jsonl.part").open("a") as stream:
        stream.write('{"half of a page that was never not')
    seen: list[tuple[int, float]] = []
    done = export_labels(target, question=KIND, actor=ACTOR, on_progress=lambda n, share: seen.append((n, share)))
    assert done.n_rows == 11
    assert seen == [(9, 9 / 11), (11, 1.0)]
    assert target.read_text() == (tmp_path / "whole.jsonl").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["whole.jsonl", "x.jsonl"]


def test_an_export_may_begin_at_a_date_and_leaves_out_what_is_gone(tmp_path: Path, decided: Any) -> None:
    reviews = decided(3)
    Label.objects.filter(subject=ref(reviews[0])).update(labelled_at="2020-01-01T00:00:00Z")
    CustomerReview.objects.filter(pk=reviews[1].pk).delete()
    Label.objects.create(
        question=KIND, subject="tests.thing:1", label="positive", method="single", labelled_at=reviews[2].created_at
    )
    since = reviews[2].created_at.replace(hour=0, minute=0, second=0, microsecond=0)
    done = export_labels(tmp_path / "x.jsonl", question=KIND, since=since, actor=ACTOR)
    assert (done.n_rows, done.n_gone) == (1, 2)


@each_format
def test_verdicts_on_copy_go_out_with_their_text(tmp_path: Path, file_format: str) -> None:
    candidate = factories.candidate("A mug that holds 350 ml.")
    labels.record_label(
        "copy_verdict", ref(candidate), label="fix", method="single", quality=None, n_votes=1, at=candidate.created_at
    )
    export_labels(tmp_path / "x", question="copy_verdict", file_format=file_format, actor=ACTOR)
    with open_file(tmp_path / "x", file_format=file_format) as reading:
        (row,) = reading.rows
    assert row.values["text"] == "A mug that holds 350 ml."
    assert row.values["sku"] == candidate.product.sku
    assert row.values["label"] == "fix"
    if file_format == "ls-json":
        assert row.values["verdict"] == ["fix"]
        assert {"product_html", "image", "facts_html", "draft_html", "findings"} <= set(row.values)


def test_two_processes_do_not_write_one_file(tmp_path: Path, decided: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def taken(name: str) -> Any:
        yield False

    monkeypatch.setattr(exporting, "try_advisory_lock", taken)
    with pytest.raises(TransientError):
        export_labels(tmp_path / "x.csv", question=KIND, actor=ACTOR)


def test_there_is_no_such_queue(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="copy_verdict"):
        export_labels(tmp_path / "x.csv", question="smells", actor=ACTOR)


# --- Who may, and what is left of it -----------------------------------------------------------------------------


def test_importing_and_exporting_ask_for_permission(tmp_path: Path) -> None:
    path = save(tmp_path / "x.jsonl", [{"text": "Good", "label": "positive"}])
    for nobody in (people.reviewer(), people.senior(), people.auditor()):
        with pytest.raises(PermissionDenied):
            import_labels(File(path), actor=nobody)
        with pytest.raises(PermissionDenied):
            preview_labels(File(path), actor=nobody)
        with pytest.raises(PermissionDenied):
            export_labels(tmp_path / "y.csv", question=KIND, actor=nobody)
    assert import_labels(File(path), gold=True, actor=people.ml_engineer()).n_created == 1
    assert export_labels(tmp_path / "y.csv", question=KIND, actor=people.administrator()).n_rows == 1


def test_the_ledger_has_counts_and_hashes_and_neither_texts_nor_names(tmp_path: Path) -> None:
    path = save(tmp_path / "x.jsonl", [{"text": "Secret words", "label": "positive", "rater": "ann@example.com"}])
    run = import_labels(File(path), actor=people.ml_engineer())
    export_labels(tmp_path / "y.jsonl", question=KIND, with_votes=True, actor=ACTOR)
    done = LedgerEntry.objects.get(action="catalog.import.completed")
    assert (done.subject, done.payload["kind"], done.payload["texts"], done.payload["labels"]) == (
        ref(run),
        "labels",
        1,
        1,
    )
    out = LedgerEntry.objects.get(action="moderation.labels.exported")
    assert (out.payload["n_rows"], out.payload["votes"], len(out.payload["file_hash"])) == (1, True, 64)
    everything = json.dumps(list(LedgerEntry.objects.values_list("payload", flat=True)))
    assert "Secret" not in everything
    assert "ann" not in everything
    assert verify().is_intact


def test_the_commands_say_what_they_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    person = people.ml_engineer()
    path = save(
        tmp_path / "x.csv",
        [
            {"body": "Good", "stars": "5", "who": "a"},
            {"body": "Even", "stars": "5", "who": "a"},
            {"body": "Even", "stars": "1", "who": "b"},
            {"body": "Odd", "stars": "9", "who": "b"},
        ],
        "csv",
    )
    arguments = [
        "--column",
        "text=body",
        "--column",
        "label=stars",
        "--column",
        "rater=who",
        "--map",
        "5=positive",
        "--map",
        "1=negative",
    ]
    out = io.StringIO()
    call_command("import_labels", str(path), *arguments, "--dry-run", stdout=out)
    assert "1 × the label '9' is none of" in out.getvalue()
    assert not ImportRun.objects.exists()
    call_command("import_labels", str(path), *arguments, "--gold", "--by", person.username, stdout=out)
    said = out.getvalue()
    assert "2 new reviews, 1 labels set" in said
    assert "1 reviews have no label" in said
    assert "1 rows were not taken" in said
    assert "gold_percent is 0" in said
    call_command(
        "export_labels", str(tmp_path / "y.csv"), "--kind", KIND, "--votes", "--since", "2020-01-01", stdout=out
    )
    assert "1 labels exported" in out.getvalue()
    for wrong in (
        ["import_labels", str(path), "--map", "5"],
        ["export_labels", str(tmp_path / "z"), "--kind", KIND],
        ["export_labels", str(tmp_path / "z.csv"), "--kind", KIND, "--since", "soon"],
        ["import_labels", str(path), *arguments, "--by", people.reviewer().username],
    ):
        with pytest.raises(CommandError):
            call_command(*wrong, stdout=out)
