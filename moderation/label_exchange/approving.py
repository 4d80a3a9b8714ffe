"""Named people answer for the raters of an imported file: from then on what those say counts as people's word."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import transaction

from audit import ledger
from catalog.models import ImportRun
from core.actors import SystemActor, actor_ref, require_permission, user_keys
from core.exceptions import PermanentError
from core.refs import ref, ref_to
from labeling import approvals
from labeling.models import Vote
from moderation.decisions.second_reviews import open_blind
from moderation.label_exchange import agreement
from moderation.label_exchange.importing import brought_in_by, never_asked, question_of, source_of
from moderation.label_exchange.records import answered_by_files
from moderation.queues import seats
from moderation.queues.rules import policy_for
from moderation.queues.separation_of_duties import why_no_second

if TYPE_CHECKING:
    from labeling.approvals import Word

LONGEST_REASON = 200
MOST_ASKED = 1_000
ASKED_AT_ONCE = 20  # opening an item holds the ledger until the batch is committed


@dataclass(frozen=True)
class Approved:
    """What an approval came to: how many raters, how many more people have to answer, and whom it leaves out,
    and why.
    """

    n_raters: int
    n_lacking: int = 0
    left_out: Mapping[str, str] = field(default_factory=dict)


def raters_in(run: ImportRun) -> int:
    """Return how many raters `run` brought votes of that no later import replaced."""
    return Vote.objects.filter(source=source_of(run)).values("rater").distinct().count()


def word_of(words: Mapping[approvals.Rater, Word], run: ImportRun, rater: str) -> Word:
    """Return who answers for `rater` of `run`; nobody, as things begin."""
    return words.get((source_of(run), rater)) or approvals.Word(needed=people_needed(run))


def people_needed(run: ImportRun) -> int:
    """Return how many people answer for a rater of `run`: two where nobody is named who brought it in.

    One of any two people is somebody else than who did.
    """
    return 2 if brought_in_by(run)[1] else 1


def approve_raters(
    run: ImportRun, *, reason: str, actor: User | SystemActor, raters: Collection[str] | None = None
) -> Approved:
    """Answer for `raters` of `run`, or for all of them against whom nothing speaks: they are people.

    Needs moderation.set_gold. Raises `PermanentError` without a person or a reason; for an import that is no finished
    one of votes; where the file does not agree with our own people, or nobody can tell
    (`moderation.label_exchange.agreement`); for who brought it in, or answered for them already where a second person
    has to. Twice is once.
    """
    person = _who_answers(run, reason, actor)
    there = approvals.raters_of(source_of(run))
    if not there:
        raise PermanentError(f"import {run.pk} brought no votes.", hint="A label without a rater is nobody's.")
    if unknown := sorted(set(raters or ()) - set(there)):
        raise PermanentError(
            f"import {run.pk} has no rater {', '.join(unknown)[:200]}.", hint="The page Raters of imports names them."
        )
    if words := why_no_second(person, brought_in_by(run)[0]):
        raise PermanentError(
            f"who brought a file in does not answer for its raters: {words}", hint="Ask somebody else to."
        )
    measured = agreement.measure(run)
    if measured.problem:
        raise PermanentError(f"nobody can answer for import {run.pk}: {measured.problem}", hint=measured.way_out)
    left_out = {rater.name: rater.problem for rater in measured.raters if rater.problem}
    if raters and (bad := {name: why for name, why in left_out.items() if name in raters}):
        name, why = next(iter(bad.items()))
        raise PermanentError(f"nobody can answer for {name}: it {why}.", hint="Leave them out.")
    chosen = sorted((set(raters) if raters else set(there)) - set(left_out))
    if not chosen:
        raise PermanentError(f"something speaks against each rater of import {run.pk}.", hint="The page names it.")
    return Approved(len(chosen), _record_approval(run, chosen, reason=reason, person=person), left_out)


def _record_approval(run: ImportRun, raters: Collection[str], *, reason: str, person: User) -> int:
    """Note it, and return how many more people have to answer for some of `raters`."""
    with transaction.atomic():
        # Two at once come one after the other, and leave one line each.
        ImportRun.objects.select_for_update(no_key=True).get(pk=run.pk)
        words, needed = approvals.words(source_of(run)), people_needed(run)
        open_ = [rater for rater in raters if not word_of(words, run, rater).is_enough]
        given = {by for rater in open_ for by in word_of(words, run, rater).by}
        if actor_ref(person) not in given:
            others = User.objects.filter(pk__in=user_keys(given))
            if why := why_no_second(person, others):
                raise PermanentError(f"you cannot answer for them, too: {why}", hint="Somebody else has to.")
        fresh = [rater for rater in open_ if actor_ref(person) not in word_of(words, run, rater).by]
        if open_ and not fresh:
            raise PermanentError("you have answered for them already.", hint="The second word is another person's.")
        if fresh:
            approvals.record(
                source_of(run),
                fresh,
                is_approved=True,
                subject=ref(run),
                needed=needed,
                reason=reason.strip()[:LONGEST_REASON],
                actor=person,
            )
        return max((needed - 1 - len(word_of(words, run, rater).by) for rater in fresh), default=0)


def withdraw_approval(
    run: ImportRun, *, reason: str, actor: User | SystemActor, raters: Collection[str] | None = None
) -> Approved:
    """Have nobody answer for `raters` of `run`, or for any of them, any longer.

    Needs moderation.set_gold. Raises `PermanentError` without a person or a reason, and where nobody answers for them.
    """
    person = _who_answers(run, reason, actor)
    with transaction.atomic():
        ImportRun.objects.select_for_update(no_key=True).get(pk=run.pk)
        held = sorted(rater for _, rater in approvals.words(source_of(run)) if not raters or rater in raters)
        if not held:
            raise PermanentError(f"nobody answers for them, so import {run.pk} is as it was.")
        approvals.record(
            source_of(run),
            held,
            is_approved=False,
            subject=ref(run),
            reason=reason.strip()[:LONGEST_REASON],
            actor=person,
        )
    return Approved(len(held))


def ask_our_people(run: ImportRun, *, n: int, actor: User | SystemActor) -> int:
    """Put `n` texts of `run`, by lot, before our own people, who see neither label nor suggestion; returns how many.

    Of those that nobody here was asked about. Their answers are what the raters are measured by, and count as our own
    people's labels. Needs moderation.set_gold. Raises `PermanentError` where there is none left, or for an absurd
    number, and for a question that the settings name no more.
    """
    require_permission(actor, "moderation.set_gold")
    if not 1 <= n <= MOST_ASKED:
        raise PermanentError(f"between 1 and {MOST_ASKED:,} texts are asked about at a time, not {n:,}.")
    asked = answered_by_files(question_of(run))
    left = agreement.askable(run).order_by().values_list("pk", flat=True)
    drawn = heapq.nsmallest(n, left, key=lambda key: seats.draw("sample of an import", run.pk, key))
    if not drawn:
        raise PermanentError(f"our people were asked about all texts of import {run.pk} already.")
    policy, opened = policy_for(asked.name), 0
    for start in range(0, len(drawn), ASKED_AT_ONCE):
        with transaction.atomic():
            references = [ref_to(asked.subject_model, key) for key in drawn[start : start + ASKED_AT_ONCE]]
            for row in never_asked(asked, references).values():
                open_blind(asked.name, row, purpose=Vote.Purpose.LABEL, policy=policy)
                opened += 1
    with transaction.atomic():
        ledger.append("labeling.raters.sampled", subject=ref(run), actor=actor, payload={"n": opened})
    return opened


def _who_answers(run: ImportRun, reason: str, actor: User | SystemActor) -> User:
    require_permission(actor, "moderation.set_gold")
    if isinstance(actor, SystemActor):
        raise PermanentError("a person answers for the raters of a file.", hint="Name them: --by USERNAME.")
    if not reason.strip():
        raise PermanentError("there is no reason.", hint="Say who the raters are: --reason TEXT.")
    if run.kind != "labels" or run.status != ImportRun.Status.COMPLETED:
        raise PermanentError(f"import {run.pk} is no finished import of labels.")
    return actor
