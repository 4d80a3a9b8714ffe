"""Ordering copy and having it drafted."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import OperationalError
from django.utils import timezone

from audit.models import LedgerEntry
from core import stopping
from core.actors import SystemActor
from core.exceptions import PermanentError, StaleState
from core.hashing import hash_json
from core.refs import ref
from ecomsite import env
from inference import prompts
from inference.models import ModelVersion
from moderation.drafting import generation, ordering, reproduction, requests, screening, tidying
from moderation.drafting.place_in_line import place_of
from moderation.models.candidates import Candidate, GenerationRequest
from tests import factories, people
from tests.moderation.conftest import GOOD

pytestmark = pytest.mark.django_db
SYSTEM = SystemActor("tests")
Script = Callable[..., ModelVersion]


def order(*products: object, **options: object) -> ordering.RequestSummary:
    options = {"channels": ["description"], "locales": ["en"], "actor": SYSTEM, **options}
    return ordering.request_copy(products or [factories.product()], **options)  # type: ignore[arg-type]


def test_a_draft_is_set_and_what_the_model_wrote_is_kept(script: Script) -> None:
    script("The  Mug holds 350ml , and it keeps tea hot!!")
    order()
    generation.drain_generation()
    draft = Candidate.objects.first()
    assert draft is not None
    assert draft.text == "The Mug holds 350 ml, and it keeps tea hot!"
    assert draft.untidied == "The  Mug holds 350ml , and it keeps tea hot!!"
    assert draft.tidied_by == tidying.VERSION
    (line,) = LedgerEntry.objects.filter(action="moderation.candidate.generated", subject=ref(draft))
    assert line.payload["untidied_hash"] == hash_json([draft.untidied])


def test_a_draft_that_was_set_is_written_again_as_the_model_wrote_it(script: Script) -> None:
    script("The  Mug holds 350ml , and it keeps tea hot!!")
    order()
    generation.drain_generation()
    draft = Candidate.objects.first()
    assert draft is not None
    assert draft.untidied
    assert reproduction.reproduce(draft).is_same


@pytest.mark.parametrize(
    ("value", "is_known"), [("curly", True), ("STRAIGHT", True), ("", True), ("guillemets", False)]
)
def test_a_word_of_the_settings_is_one_of_those_known(monkeypatch: Any, value: str, is_known: bool) -> None:
    monkeypatch.setenv("TIDY_QUOTES", value)
    if is_known:
        assert env.one_of("TIDY_QUOTES", "straight", known=("straight", "curly")) == (value.lower() or "straight")
    else:
        with pytest.raises(ImproperlyConfigured, match="TIDY_QUOTES must be straight or curly"):
            env.one_of("TIDY_QUOTES", "straight", known=("straight", "curly"))


def test_a_draft_is_left_as_it_is_where_the_house_wants_that(script: Script, settings: Any) -> None:
    settings.MODERATION = replace(settings.MODERATION, tidies=False)
    script("The  Mug holds 350ml , and it keeps tea hot!!")
    order()
    generation.drain_generation()
    draft = Candidate.objects.first()
    assert draft is not None
    assert (draft.text, draft.untidied, draft.tidied_by) == ("The  Mug holds 350ml , and it keeps tea hot!!", "", "")


def test_it_orders_every_product_channel_and_locale_once(script: Script) -> None:
    script()
    products = [factories.product(), factories.product()]
    first = order(*products, channels=["description", "ad_slogan"])
    again = order(*products, channels=["description", "ad_slogan", "recommendation"])
    assert (len(first.created), len(first.existing)) == (4, 0)
    assert (len(again.created), len(again.existing)) == (2, 4)
    assert LedgerEntry.objects.filter(action="moderation.request.requested").count() == 6


def test_asking_again_makes_new_drafts_when_the_facts_changed_or_the_round_is_raised(script: Script) -> None:
    script()
    product = factories.product()
    request = order(product).created[0]
    assert len(order(product, round=ordering.next_round(request)).created) == 1
    product.facts_hash = "f" * 64
    product.save()
    assert len(order(product).created) == 1


def test_a_locale_that_the_champion_cannot_write_is_refused_with_the_way_out(script: Script) -> None:
    script()
    with pytest.raises(PermanentError, match=r"zh-Hans[\s\S]*register_model"):
        order(locales=["zh-Hans"])
    assert not GenerationRequest.objects.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": ["billboard"]}, "Unknown channel: billboard"),
        ({"locales": ["tlh"]}, "Unknown locale: tlh"),
        ({"channels": []}, "Unknown channel: none"),
        ({"n_candidates": 0}, "Between 1 and 20"),
        ({"params": {"temperature": 9}}, "temperature"),
        ({"params": {"torch": 1}}, "no decoding parameter"),
    ],
)
def test_a_senseless_order_is_refused_and_orders_nothing(script: Script, options: dict, message: str) -> None:
    script()
    with pytest.raises(PermanentError, match=message):
        order(**options)
    assert not GenerationRequest.objects.exists()


def test_only_who_may_ask_for_copy_can(script: Script) -> None:
    script()
    for person in (people.reviewer(), people.auditor(), people.outsider()):
        with pytest.raises(PermissionDenied):
            order(actor=person)
    assert len(order(actor=people.senior()).created) == 1


def test_drafts_are_stored_with_their_whole_provenance(script: Script) -> None:
    version = script(GOOD, "Another text.")
    request = order(n_candidates=2).created[0]
    assert generation.drain_generation() == 2
    request.refresh_from_db()
    first, second = Candidate.objects.order_by("ordinal")
    assert (request.status, request.lease_token) == ("completed", None)
    assert (first.text, second.text) == (GOOD, "Another text.")
    assert (first.model_version, first.prompt_version, first.facts_hash) == (
        version,
        request.prompt_version,
        request.product.facts_hash,
    )
    assert second.seed == first.seed + 1
    assert (first.prompt_tokens, first.completion_tokens, first.device, first.finish_reason) == (
        100,
        20,
        "script",
        "stop",
    )
    assert first.params["max_new_tokens"] > 0
    assert {fact["name"] for fact in first.facts} == {"material", "capacity", "colour"}
    assert first.prompt_hash


def test_a_model_that_was_trained_on_the_short_prompt_is_asked_with_it(script: Script) -> None:
    version = script()
    ModelVersion.objects.filter(pk=version.pk).update(
        options={**version.options, "prompt": prompts.SHORT_PROMPT_VERSION}
    )
    request = order(n_candidates=1).created[0]
    assert generation.drain_generation() == 1
    draft = Candidate.objects.get()
    assert (request.prompt_version, draft.prompt_version) == (prompts.SHORT_PROMPT_VERSION,) * 2
    again = reproduction.prompt_of(draft)
    assert again.is_same
    assert [turn.role for turn in again.messages] == ["system", "user"]


def test_one_turn_takes_one_batch(script: Script, settings) -> None:
    settings.MODERATION = replace(settings.MODERATION, generation_batch=2)
    script()
    order(*(factories.product() for _ in range(5)), n_candidates=1)
    assert [generation.drain_generation() for _ in range(4)] == [2, 2, 1, 0]


def names(*statuses: str) -> list[str]:
    """Return the titles of the products whose requests are in `statuses`, in the order in which they were finished."""
    rows = GenerationRequest.objects.filter(status__in=statuses).order_by("finished_at", "created_at")
    return list(rows.values_list("product__title", flat=True))


def backlog(n: int) -> None:
    order(*(factories.product(title=f"Backlog {i}") for i in range(n)), n_candidates=1)


def ask(title: str) -> GenerationRequest:
    return order(factories.product(title=title), n_candidates=1, is_awaited=True).created[0]


def test_what_a_person_waits_for_is_written_before_the_backlog_which_never_stands_still(
    script: Script, settings: Any
) -> None:
    settings.MODERATION = replace(settings.MODERATION, generation_batch=2)
    script()
    backlog(7)
    for i in range(6):
        ask(f"Asked {i}")
    assert generation.drain_generation() == 3, "two of those, as many as a batch holds, and one beside them"
    assert names("completed") == ["Asked 0", "Asked 1", "Backlog 0"]
    for _ in range(2):
        generation.drain_generation()
    ask("Asked 6")
    generation.drain_generation()
    assert names("completed") == [
        *("Asked 0", "Asked 1", "Backlog 0", "Asked 2", "Asked 3", "Backlog 1"),
        *("Asked 4", "Asked 5", "Backlog 2", "Asked 6", "Backlog 3"),
    ]
    assert generation.drain_generation() == 2
    assert names("queued") == ["Backlog 6"]


def test_a_batch_of_the_backlog_gives_way_to_a_person_and_costs_it_nothing(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(each_seconds=0)
    backlog(5)
    real = generation._store

    def asked_meanwhile(request: GenerationRequest, *rest: Any, **options: Any) -> int:
        if not GenerationRequest.objects.filter(is_awaited=True).exists():
            ask("Asked")
        return real(request, *rest, **options)

    monkeypatch.setattr(generation, "_store", asked_meanwhile)
    assert generation.drain_generation() == 1
    assert set(GenerationRequest.objects.filter(status="queued").values_list("n_attempts", "lease_expires_at")) == {
        (0, None)
    }
    assert generation.drain_generation() == 2
    assert names("completed") == ["Backlog 0", "Asked", "Backlog 1"]


def test_an_order_of_the_whole_shop_is_a_backlog_whoever_asks_for_it(script: Script) -> None:
    script()
    order(*(factories.product() for _ in range(ordering.MOST_AWAITED + 1)), is_awaited=True)
    assert not GenerationRequest.objects.filter(is_awaited=True).exists()


def test_what_waits_in_the_backlog_goes_before_it_once_a_person_asks_for_it_too(script: Script) -> None:
    script(GOOD)
    wanted, written = factories.product(), factories.product()
    (made,) = order(wanted).created
    order(written)
    GenerationRequest.objects.filter(product=written).update(status="completed", finished_at=timezone.now())
    summary = order(wanted, written, is_awaited=True)
    assert not summary.created
    made.refresh_from_db()
    assert made.is_awaited
    assert not GenerationRequest.objects.get(product=written).is_awaited, "it is there already"
    order(wanted)
    made.refresh_from_db()
    assert made.is_awaited, "the backlog takes nothing back"


def test_place_in_line_counts_what_is_written_before_and_tells_it_in_minutes(script: Script) -> None:
    script()
    order(*(factories.product() for _ in range(40)), n_candidates=3)
    last = GenerationRequest.objects.order_by("created_at", "pk").last()
    assert last is not None
    place = place_of(last)
    assert place is not None
    assert (place.n_drafts, place.in_words) == (117, "117 drafts from now"), "nothing was written yet: no pace"
    factories.candidate(generation_seconds=2.0)
    GenerationRequest.objects.filter(pk__in=GenerationRequest.objects.order_by("created_at")[:10]).update(
        status="generating"
    )
    assert place_of(last).in_words == "in about 4 minutes (117 drafts from now)"  # type: ignore[union-attr]
    first, second = ask("Asked first"), ask("Asked second")
    assert place_of(first).n_drafts == 16, "the batch in hand of the backlog, and none of the rest"  # type: ignore[union-attr]
    assert place_of(second).in_words == "in about 1 minute (17 drafts from now)"  # type: ignore[union-attr]
    assert place_of(last).n_drafts == 119  # type: ignore[union-attr]
    assert place_of(GenerationRequest(status="completed")) is None


def test_a_request_is_drawn_with_the_same_seeds_whatever_is_written_beside_it(script: Script) -> None:
    def seeds(request: GenerationRequest) -> list[int]:
        return list(request.candidates.order_by("ordinal").values_list("seed", flat=True))

    script()
    given = order(factories.product(), factories.product(), n_candidates=2, params={"seed": 7}).created
    own = order(factories.product(), factories.product(), n_candidates=2).created
    generation.drain_generation()
    assert [seeds(request) for request in given] == [[7, 8], [7, 8]]
    first, second = map(seeds, own)
    assert (first[1] - first[0], second[1] - second[0]) == (1, 1)
    assert first[0] != second[0]
    Candidate.objects.filter(request=own[0]).delete()
    GenerationRequest.objects.filter(pk=own[0].pk).update(status="queued")
    generation.drain_generation()
    assert seeds(own[0]) == first, "and when it is written again"


def rested() -> None:
    """Let the back-off of every request be over."""
    GenerationRequest.objects.filter(lease_token=None).update(lease_expires_at=None)


def test_a_model_out_of_reach_costs_no_attempt_however_long_it_is_away(script: Script) -> None:
    script(fails="transient")
    request = order().created[0]
    for _ in range(7):
        generation.drain_generation()
        rested()
    request.refresh_from_db()
    assert (request.status, request.n_attempts) == ("queued", 0)
    assert "does not answer" in request.last_error
    script()
    assert generation.drain_generation() == 3


def test_a_request_that_fails_rests_longer_each_time_and_is_failed_in_the_end(script: Script) -> None:
    script(fails="bug")
    request = order().created[0]
    for attempt in range(1, 6):
        generation.drain_generation()
        request.refresh_from_db()
        assert request.status == ("queued" if attempt < 5 else "failed")
        if attempt < 5:
            assert generation.drain_generation() == 0, "it rests"
            assert request.lease_expires_at > timezone.now() + dt.timedelta(seconds=2**attempt - 2)
        rested()
    assert request.quarantined_at
    assert request.last_error == "RuntimeError: the model has a bug"
    script()
    requests.retry_request(request, actor=people.senior())
    assert generation.drain_generation() == 3


def test_a_poison_request_does_not_sink_its_batch(script: Script) -> None:
    script(poison="Cursed lamp")
    good = [factories.product(), factories.product()]
    order(good[0], factories.product(title="Cursed lamp"), good[1], n_candidates=1)
    generation.drain_generation()
    states = dict(GenerationRequest.objects.values_list("product__title", "status"))
    assert states == {good[0].title: "completed", good[1].title: "completed", "Cursed lamp": "failed"}


@pytest.mark.django_db(transaction=True)
def test_a_lost_database_costs_no_attempt_and_the_batch_is_not_written_again_one_by_one(script: Script) -> None:
    script(fails="database")
    order(factories.product(), factories.product(), n_candidates=1)
    with pytest.raises(OperationalError):
        generation.drain_generation()
    assert requests.reap_requests() == 2
    assert set(GenerationRequest.objects.values_list("status", "n_attempts")) == {("queued", 0)}
    script()
    assert generation.drain_generation() == 2


def test_a_generator_that_was_paused_past_its_lease_cannot_write(script: Script) -> None:
    script()
    request = order().created[0]
    claimed = generation.leases.claim(
        GenerationRequest.objects.filter(pk=request.pk), n=1, duration=dt.timedelta(seconds=60), status="generating"
    )[0]
    GenerationRequest.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert requests.reap_requests() == 1
    assert generation._store(claimed, [factories.candidate().__class__(request=claimed, ordinal=0)]) == 0
    request.refresh_from_db()
    assert request.status == "queued"
    assert generation.drain_generation() == 3


def test_what_was_finished_before_a_failure_is_kept_and_only_what_lacks_is_written_again(script: Script) -> None:
    script(each_seconds=0, fails_at=4)
    first, second = order(factories.product(), factories.product()).created
    assert generation.drain_generation() == 4
    kept = set(Candidate.objects.values_list("pk", flat=True))
    for request in (first, second):
        request.refresh_from_db()
    assert (first.status, first.candidates.count()) == ("completed", 3)
    assert (second.status, second.n_attempts, second.candidates.count()) == ("queued", 0, 1)
    assert screening.screen_candidates() == 3, "drafts of an order that lacks some are not ranked yet"
    rested()
    script("Another text.")
    assert generation.drain_generation() == 2
    second.refresh_from_db()
    assert second.status == "completed"
    assert list(second.candidates.order_by("ordinal").values_list("ordinal", "text")) == [
        (0, GOOD),
        (1, "Another text."),
        (2, "Another text."),
    ]
    assert kept < set(Candidate.objects.values_list("pk", flat=True))
    made = LedgerEntry.objects.filter(action="moderation.candidate.generated")
    assert made.count() == made.values("subject").distinct().count() == 6
    assert screening.screen_candidates() == 3


def test_an_order_that_has_all_its_drafts_is_completed_without_another(script: Script) -> None:
    script()
    request = order(n_candidates=1).created[0]
    factories.candidate(request=request)
    assert generation.drain_generation() == 0
    request.refresh_from_db()
    assert (request.status, request.candidates.count()) == ("completed", 1)


def test_a_batch_of_a_process_that_was_asked_to_end_is_cut_short(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(each_seconds=0.01)
    order(factories.product(), factories.product(), channels=["description", "ad_slogan"], n_candidates=2)
    with monkeypatch.context() as asked:
        asked.setattr(stopping, "is_asked", lambda: Candidate.objects.count() >= 3)
        assert generation.drain_generation() == 3
    states = GenerationRequest.objects.values_list("status", "n_attempts", "n_losses", "lease_expires_at", "last_error")
    assert sorted(states, key=str) == [("completed", 0, 0, None, "")] + 3 * [("queued", 0, 0, None, "")]
    script()
    assert generation.drain_generation() == 5
    assert not GenerationRequest.objects.exclude(status="completed").exists()


def test_drafts_of_a_cancelled_order_go_with_it(script: Script) -> None:
    script(each_seconds=0, fails_at=1)
    request = order().created[0]
    generation.drain_generation()
    request.refresh_from_db()
    requests.cancel_request(request, actor=people.senior())
    assert list(request.candidates.values_list("status", flat=True)) == ["superseded"]
    assert screening.screen_candidates() == 0


def test_generators_that_are_lost_cost_an_order_no_attempt_until_too_many_in_a_row_were(
    script: Script, settings: Any
) -> None:
    script()
    request = order().created[0]
    for n in range(1, settings.LEASES.max_losses + 1):
        GenerationRequest.objects.filter(pk=request.pk).update(
            status="generating",
            lease_token=uuid.uuid4(),
            n_attempts=1,
            lease_expires_at=timezone.now() - dt.timedelta(seconds=1),
        )
        assert requests.reap_requests() == 1
        request.refresh_from_db()
        assert request.n_attempts == 0
        assert f"{n} times in a row" in request.last_error
    assert (request.status, request.n_losses) == ("failed", 0)
    assert request.quarantined_at
    requests.retry_request(request, actor=people.senior())
    assert generation.drain_generation() == 3


def test_only_a_queued_request_can_be_cancelled(script: Script) -> None:
    script()
    request = order().created[0]
    requests.cancel_request(request, actor=people.senior())
    assert generation.drain_generation() == 0
    with pytest.raises(StaleState):
        requests.cancel_request(GenerationRequest(pk=request.pk, status="queued"), actor=people.senior())
