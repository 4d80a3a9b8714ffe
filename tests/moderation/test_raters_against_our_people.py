"""Before anybody answers for raters of a file, what they say is held against what our own people say of the same."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.models import LedgerEntry
from catalog.models import CustomerReview
from core.exceptions import PermanentError
from core.refs import ref
from labeling import labels
from labeling.models import Vote
from labeling.quality.against import measure_against
from moderation.label_exchange import agreement
from moderation.label_exchange.approving import approve_raters, ask_our_people
from moderation.label_exchange.importing import rater_of
from moderation.models.reviews import ReviewItem
from tests import factories, people
from tests.moderation.imported_raters import ALL, FLIPPED, answer_ourselves, bring, said, score, truth

pytestmark = pytest.mark.django_db


def why_not(run: object) -> str:
    """Why nobody can answer for the raters of a file; empty where somebody did."""
    try:
        approve_raters(run, reason="I know them", actor=people.senior())  # type: ignore[arg-type]
    except PermanentError as exc:
        return str(exc)
    return ""


def test_too_little_in_common_is_said_and_nobody_answers(tmp_path: Path) -> None:
    run = bring(tmp_path / "x.jsonl", said(ALL, "gpt-4o"))
    answer_ourselves(agreement.FEWEST - 1)
    assert "answered 19 of its texts since it came in, and 20 are needed" in why_not(run)
    answer_ourselves(1, first=agreement.FEWEST - 1)
    assert why_not(run) == ""


def test_flipped_labels_are_refused_however_many_raters_say_so(tmp_path: Path) -> None:
    run = bring(tmp_path / "x.jsonl", said(ALL, "ann", "bob", "carol", says=lambda i: FLIPPED[truth(i)]))
    answer_ourselves()
    assert "agree too little beyond chance: κ -0." in why_not(run)
    found = agreement.measure(run)
    assert (found.counted.percent.n, found.counted.percent.value) == (ALL, 0.0), "texts are counted, not votes"
    assert all("fewer than half" in rater.problem for rater in found.raters)


def test_one_label_for_everything_agrees_no_more_than_chance(tmp_path: Path) -> None:
    run = bring(tmp_path / "x.jsonl", said(ALL, "ann", label="positive"))
    answer_ourselves(says=lambda i: "positive" if i % 4 else "negative")
    assert agreement.measure(run).counted.percent.value == 0.75
    assert "beyond chance: κ 0.00" in why_not(run)
    same = bring(tmp_path / "y.jsonl", said(ALL, "bob", label="positive", first=50))
    answer_ourselves(first=50, says=lambda i: "positive")
    assert "all answers are the same label" in why_not(same)


def test_one_flipped_rater_among_honest_ones_is_left_out(tmp_path: Path) -> None:
    rows = [*said(ALL, "ann", "bob", "carol"), *said(12, "mallory", says=lambda i: FLIPPED[truth(i)])]
    run = bring(tmp_path / "x.jsonl", rows)
    answer_ourselves()
    with pytest.raises(PermanentError, match="fewer than half, beyond chance"):
        approve_raters(run, raters=[rater_of("mallory")], reason="she is one of us", actor=people.senior())
    came = approve_raters(run, reason="our team", actor=people.senior())
    assert (came.n_raters, list(came.left_out)) == (3, [rater_of("mallory")])


def test_who_copies_the_champion_is_told_from_people_by_its_mistakes(tmp_path: Path) -> None:
    told = score(60, right=0.85)
    run = bring(tmp_path / "x.jsonl", said(60, "ann", says=told))
    answer_ourselves(60)
    found = agreement.measure(run)
    assert found.counted.kappa.value is not None
    assert found.counted.kappa.value > 0.6, "it agrees with people as far as the champion does"
    assert "it says what the model v1 says" in why_not(run)
    assert found.model.value == 1.0


def test_people_who_err_like_people_are_not_taken_for_copies_of_the_champion(tmp_path: Path) -> None:
    score(60, right=0.85)
    rng = random.Random(2)
    run = bring(
        tmp_path / "x.jsonl", said(60, "ann", says=lambda i: truth(i) if rng.random() < 0.85 else FLIPPED[truth(i)])
    )
    answer_ourselves(60)
    assert why_not(run) == ""


def test_what_our_people_had_answered_before_may_have_been_copied(tmp_path: Path) -> None:
    """The file repeats our own export, and turns everything else round."""
    for i in range(ALL):
        factories.customer_review(f"Review {i}", external_id=f"r-{i}")
    answer_ourselves()
    rows = [{**row, "external_id": f"r-{i}"} for i, row in enumerate(said(ALL, "ann"))]
    run = bring(tmp_path / "x.jsonl", [*rows, *said(60, "ann", first=100, says=lambda i: FLIPPED[truth(i)])])
    found = agreement.measure(run)
    assert (found.before.percent.value, found.before.percent.n) == (1.0, ALL)
    assert "answered 0 of its texts since it came in" in why_not(run)
    assert ask_our_people(run, n=60, actor=people.senior()) == 60  # of 84, 24 answered before
    asked = ReviewItem.objects.values_list("customer_review__text", flat=True)
    for text in asked:
        answer_ourselves(1, first=int(text.split()[1]), rater="user:900000072")
    assert "agree too little" in why_not(run)


def test_asking_about_all_the_rest_does_not_make_copied_answers_count(tmp_path: Path) -> None:
    for number in range(ALL):
        factories.customer_review(f"Review {number}", external_id=f"x-{number}")
    answer_ourselves()
    copied = [*said(ALL, "gpt-4o"), *said(90, "gpt-4o", first=ALL, says=lambda i: FLIPPED[truth(i)])]
    run = bring(tmp_path / "x.jsonl", copied)
    ask_our_people(run, n=1_000, actor=people.senior())
    found = agreement.measure(run)
    assert (found.can_ask, found.counted.percent.n, found.before.percent.n) == (False, 0, ALL)
    with pytest.raises(PermanentError, match=r"answered 0 of its texts since it came in.*wait for their answers"):
        approve_raters(run, reason="they agree with us", actor=people.senior())


def test_where_everything_was_asked_before_that_has_to_do(tmp_path: Path) -> None:
    for i in range(ALL):
        review = factories.customer_review(f"Review {i}", external_id=f"r-{i}")
        factories.review_item(review)
    answer_ourselves()
    run = bring(tmp_path / "x.jsonl", [{**row, "external_id": f"r-{i}"} for i, row in enumerate(said(ALL, "ann"))])
    assert why_not(run) == ""
    with pytest.raises(PermanentError, match="asked about all texts"):
        ask_our_people(run, n=5, actor=people.senior())


def test_answers_that_a_model_suggested_and_second_reviews_measure_nobody(tmp_path: Path) -> None:
    run = bring(tmp_path / "x.jsonl", said(ALL, "ann"))
    answer_ourselves(is_assisted=True)
    assert agreement.measure(run).counted.percent.n == 0
    Vote.objects.filter(rater="user:900000071").update(is_assisted=False, purpose="second_review")
    assert agreement.measure(run).counted.percent.n == 0
    Vote.objects.filter(rater="user:900000071").update(purpose="label")
    answer_ourselves(4, rater="user:900000072", says=lambda i: FLIPPED[truth(i)])
    assert agreement.measure(run).counted.percent.n == ALL - 4, "of four they are of two minds"


def test_who_brought_a_file_in_does_not_measure_it(tmp_path: Path) -> None:
    bringer, other = people.ml_engineer(), people.reviewer()
    run = bring(tmp_path / "x.jsonl", said(ALL, "gpt-4o", says=lambda i: FLIPPED[truth(i)]), actor=bringer)
    second_account = people.people("Reviewer", email=bringer.email.replace("@", "+second@"))
    for person in (bringer, second_account):
        answer_ourselves(rater=labels.rater_of(person), says=lambda i: FLIPPED[truth(i)])
        assert agreement.measure(run).counted.percent.n == 0
        with pytest.raises(PermanentError, match="our own people answered 0 of its texts"):
            approve_raters(run, reason="they agree with me", actor=people.senior())
    answer_ourselves(rater=labels.rater_of(other))
    assert agreement.measure(run).counted.percent.n == ALL
    with pytest.raises(PermanentError, match="agree too little"):
        approve_raters(run, reason="they agree with me", actor=people.senior())


def test_labels_that_left_the_interface_are_compared_with_nothing(tmp_path: Path) -> None:
    run = bring(tmp_path / "x.jsonl", said(ALL, "ann", "bob"))
    answer_ourselves()
    for rater in (rater_of("bob"), "user:900000071"):
        gone = Vote.objects.filter(rater=rater).order_by("subject").values_list("pk", flat=True)[:2]
        Vote.objects.filter(pk__in=list(gone)).update(label="mixed")
    found = agreement.measure(run)
    assert (found.counted.percent.n, found.counted.percent.value) == (ALL - 2, 1.0)
    assert [(rater.n_votes, rater.percent.n) for rater in found.raters] == [(ALL, ALL - 2)] * 2


def test_a_sample_by_lot_is_asked_without_a_suggestion_and_counts_as_ours(tmp_path: Path) -> None:
    run = bring(tmp_path / "x.jsonl", said(40, "ann"))
    with pytest.raises(PermissionDenied):
        ask_our_people(run, n=5, actor=people.reviewer())
    for absurd in (0, -1, 1001):
        with pytest.raises(PermanentError, match="between 1 and 1,000"):
            ask_our_people(run, n=absurd, actor=people.senior())
    assert ask_our_people(run, n=30, actor=people.senior()) == 30
    assert ask_our_people(run, n=30, actor=people.senior()) == 10, "nobody is asked twice"
    items = ReviewItem.objects.select_related("labeling_task")
    assert {(item.purpose, item.labeling_task.shows_predictions) for item in items if item.labeling_task} == {
        ("label", False)
    }
    assert LedgerEntry.objects.filter(action="labeling.raters.sampled", subject=ref(run)).count() == 2
    assert CustomerReview.objects.filter(review_items=None).count() == 0


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_agreement_with_our_people_lies_within_its_interval_and_between_its_ends(pairs: list[tuple[int, int]]) -> None:
    said_, ours = zip(*pairs, strict=True)
    rows = [[float(label == one) for label in range(3)] for one in said_]
    found = measure_against(rows, ours, minimum=1, n_rounds=100)
    equal = sum(a == b for a, b in pairs) / len(pairs)
    assert found.percent.value == pytest.approx(equal)
    assert found.percent.low <= equal <= found.percent.high  # type: ignore[operator]
    assert found.percent.n == found.kappa.n == len(pairs)
    if found.kappa.value is not None:
        assert -1 - 1e-9 <= found.kappa.value <= 1
        assert found.kappa.value == pytest.approx(1) or equal < 1
