"""The review page: Label Studio's editor in a frame of ours, the next item by itself, and the last ones' fate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from core.actors import AuthenticatedHttpRequest, require_permission
from core.exceptions import EcomsiteError, StaleState, TransientError
from ecomsite.console.pages import Act, action, page
from ecomsite.security import policy
from labeling.links import task_url
from labeling.question import question, queue_names, queues, title_of
from moderation.decisions import corrections, own_answers
from moderation.decisions.own_answers import OwnAnswer
from moderation.models.reviewers import Skip
from moderation.models.reviews import ReviewItem
from moderation.queues import handing_out, turns

LAST = 10
KEYS = (
    ("1 2 3", "the verdict, or the sentiment"),
    ("q w e r t y u i", "the reasons, in the order they stand"),
    ("F1 F2 F3 …", "finding 1, 2, 3 … is a false alarm"),
    ("0", "the other warnings are right, and the text may go out all the same"),
    ("9", "ask a senior reviewer"),
    ("Ctrl Enter", "submit; the next one comes by itself"),
    ("s", "skip, with a reason"),
    ("b", "back to my last ten"),
    ("p", "pause: nothing stays reserved for you"),
    ("?", "this help"),
)


def review_address(item: ReviewItem) -> str:
    """Return the page on which `item`, which the person holds, stands before them."""
    return f"{reverse('console:review', args=[item.question])}?item={item.pk}"


@never_cache
@require_safe
def review(request: AuthenticatedHttpRequest, question: str) -> HttpResponse:
    """Show the frame of the page. It leases nothing: the page asks for its turn, and a paused one does not."""
    _require_reviewer(request, question)
    context = {
        "title": title_of(question),
        "question": question,
        "is_paused": "paused" in request.GET,
        "showing": _uuid(request.GET.get("item")) or "",
        "skip_reasons": Skip.Reason.choices,
        "keys": KEYS,
        "hint": _hint(question),
    }
    response = page(request, "console/review.html", context)
    response.headers["Content-Security-Policy"] = policy(frames_door=True)
    return response


@never_cache
@require_POST
def state(request: AuthenticatedHttpRequest, question: str) -> JsonResponse:
    """Take the person's turn and return it: what to show, what to load ahead, what became of the answers they ask
    about.

    Posted: `showing` (the item on the page), `answered` (the page heard that it was), `asked` (items whose fate is not
    known yet), `counts` (when numbers are wanted).
    """
    _require_reviewer(request, question)
    user: Any = request.user
    showing = _uuid(request.POST.get("showing"))
    asked = [key for raw in request.POST.getlist("asked")[:LAST] if (key := _uuid(raw))]
    if showing is not None and "answered" in request.POST:
        turns.say_answered(user, item=showing)
    turn = turns.take_turn(user, question=question, showing=showing)
    has_moved = showing is not None and (turn.current is None or turn.current.pk != showing)
    known = own_answers.fates(user, {*asked, *([showing] if showing and has_moved else [])})
    answer: dict[str, Any] = {
        "current": _shown(turn.current),
        "following": _shown(turn.following),
        # Else they lost it: its time ran out, or it is not asked any more.
        "was_answered": has_moved and showing in known and not (turn.following and turn.following.pk == showing),
        "fates": {str(pk): _fate(found) for pk, found in known.items()},
    }
    if has_moved or turn.current is None or "counts" in request.POST:
        answer["counts"] = _counts(user, question)
    return JsonResponse(answer)


def _shown(item: ReviewItem | None) -> dict[str, Any] | None:
    if item is None or item.labeling_task is None:
        return None
    try:
        address = task_url(item.labeling_task)
    except TransientError:  # deleted there this very moment: it is on its way again
        return None
    left = (item.lease_expires_at - timezone.now()).total_seconds() if item.lease_expires_at else None
    return {
        "item": str(item.pk),
        "address": address,
        "seconds_left": None if left is None else max(0, round(left)),
        "again": item.returned_reason if item.returned_at else "",
        # What was given back is to be loaded anew: the frame of before has sent its answer.
        "load": item.returned_at.isoformat() if item.returned_at else "",
    }


def _fate(answer: OwnAnswer) -> dict[str, Any]:
    return {"fate": answer.fate, "words": answer.words, "may_correct": answer.correct_until is not None}


def _counts(user: Any, question: str) -> dict[str, Any]:
    waiting = {name: handing_out.waiting_for(user, question=name).count() for name in queue_names()}
    return {
        "done_today": own_answers.n_answered_today(user, question=question),
        "waiting": waiting[question],
        "others": [
            {"title": title, "waiting": waiting[name], "address": reverse("console:review", args=[name])}
            for name, title in queues()
            if name != question and waiting[name]
        ],
    }


@require_POST
def skip(request: AuthenticatedHttpRequest, question: str) -> JsonResponse:
    """Pass the item before the person on to somebody else."""
    return _do(
        request, question, lambda item: turns.skip(item, user=request.user, reason=request.POST.get("reason", ""))
    )


@require_POST
def more_time(request: AuthenticatedHttpRequest, question: str) -> JsonResponse:
    """Reserve the item before the person for longer."""
    return _do(request, question, lambda item: turns.extend(item, user=request.user))


def _do(request: AuthenticatedHttpRequest, question: str, action: Callable[[ReviewItem], object]) -> JsonResponse:
    _require_reviewer(request, question)
    item = get_object_or_404(ReviewItem, pk=_uuid(request.POST.get("item")), question=question)
    try:
        action(item)
    except EcomsiteError as exc:
        return JsonResponse({"error": str(exc)}, status=409 if isinstance(exc, StaleState) else 400)
    return JsonResponse({})


@require_POST
def leave(request: AuthenticatedHttpRequest, question: str) -> HttpResponse:
    """Give back what was leased ahead: sent by the browser as the person leaves."""
    _require_reviewer(request, question)
    turns.leave(request.user, question=question)
    return HttpResponse(status=204)


@require_POST
def pause(request: AuthenticatedHttpRequest, question: str) -> HttpResponseRedirect:
    """Give everything back that is not answered, and show a page that asks for nothing."""
    _require_reviewer(request, question)
    turns.pause(request.user, question=question)
    return HttpResponseRedirect(f"{reverse('console:review', args=[question])}?paused")


@never_cache
@require_safe
def last_ten(request: AuthenticatedHttpRequest, question: str) -> HttpResponse:
    """What the person answered last in this queue, and what became of it."""
    _require_reviewer(request, question)
    answers = own_answers.answers_of(request.user, question=question, n=LAST)
    return render(request, "console/_own_answers.html", {"answers": answers})


@action
def correct(request: AuthenticatedHttpRequest, pk: UUID) -> Act[object]:
    """Put what the person answered a moment ago before them again."""
    item = get_object_or_404(ReviewItem, pk=pk)
    return Act(
        lambda: corrections.correct(item, actor=request.user),
        done="It is before you again. What your answer let out is taken down until you send it again.",
        back=review_address(item),
    )


def _hint(name: str) -> str:
    return question(name).submit_hint


def _require_reviewer(request: AuthenticatedHttpRequest, question: str) -> None:
    if question not in queue_names():
        raise Http404
    require_permission(request.user, "moderation.review_item")


def _uuid(raw: str | None) -> UUID | None:
    try:
        return UUID(raw or "")
    except ValueError:
        return None
