"""Loading a declared question: its version is kept, and labels come along when its answers change."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, F, Model, Q

from audit import ledger
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError
from core.hashing import hash_json
from core.hints import hint_on_commit
from core.label_sets import JOINED
from core.locks import take_turns
from labeling import raters
from labeling.models import Label, LabelIssue, RaterModel, Vote
from moderation.models.reviews import ReviewItem
from questions import retiring
from questions.declared.schema import Declaration
from questions.models import QuestionVersion

if TYPE_CHECKING:
    Actor = User | SystemActor

# Where an answer stands, by field: what people said, what is held to be true, what was suggested, and known answers.
COLUMNS: tuple[tuple[type[Model], tuple[str, ...]], ...] = (
    (Label, ("label",)),
    (Vote, ("label", "suggestion", "expected")),
    (LabelIssue, ("given", "suggested")),
    (ReviewItem, ("suggestion", "gold_label")),
)


LATER = ("ask_below", "ask_again_when_edited", "daily_lot", "recipe", "gate")


@dataclass(frozen=True)
class Change:
    """What loading a file would change: answers that come, that go, and labels that become others (old, new,
    how many).
    """

    is_new: bool
    added: tuple[str, ...]
    removed: tuple[str, ...]
    relabelled: tuple[tuple[str, str, int], ...]
    # Labels that people give anew: what they were, of how many subjects; empty: people had not agreed on one yet.
    asked_again: tuple[tuple[str, int], ...] = ()


def latest(name: str) -> QuestionVersion | None:
    """Return the version of the question `name` that was loaded last."""
    return QuestionVersion.objects.filter(name=name).first()


def content_of(declaration: Declaration) -> dict[str, Any]:
    """Return `declaration` as the plain data that a version keeps.

    What files could not say at first is kept where they say it: a version of before still is what its file says.
    """
    silent = {name for name in LATER if getattr(declaration, name) == Declaration.model_fields[name].default}
    return declaration.model_dump(mode="json", exclude=silent)


def change(declaration: Declaration, *, renamed: Mapping[str, str], asked_again: Collection[str] = ()) -> Change:
    """Return what loading `declaration` would change.

    `renamed`: answer before → what it becomes, two of them may become one. `asked_again`: answers before that people
    give anew, because they are split, or mean something else. Raises `PermanentError` where an answer that labels hold
    is gone and neither says what becomes of it, for names that are none, and where the file is the latest version
    already and that was loaded with other words about its answers.
    """
    before = latest(declaration.name)
    if before and before.content_hash == hash_json(content_of(declaration)):
        _check_same(before, renamed, asked_again)
        return Change(is_new=False, added=(), removed=(), relabelled=())
    old = [one["value"] for one in before.content["choices"]] if before else []
    new = [one.value for one in declaration.choices]
    _check_names(declaration.name, old, new, renamed, asked_again)
    removed = [value for value in old if value not in new]
    counts = _counts(declaration.name)
    settled = {*renamed, *asked_again}
    lost = {value: n for value in removed if value not in settled and (n := _held(counts, value))}
    if lost:
        told = ", ".join(f"{value} ({n:,} labels and votes)" for value, n in lost.items())
        raise PermanentError(f"{declaration.name} has no more {told}.", hint=_way_out(new))
    if before and before.content["multiple"] != declaration.multiple and counts:
        raise PermanentError(
            f"{declaration.name} has labels: whether several may be picked cannot change any more.",
            hint="Declare a question of another name.",
        )
    anew = retiring.counted(declaration.name, asked_again)
    became = {label: _renamed(label, renamed, new) for label in counts if not retiring.holds(label, asked_again)}
    moved = tuple((label, to, counts[label]) for label, to in sorted(became.items()) if to != label)
    return Change(True, tuple(value for value in new if value not in old), tuple(removed), moved, anew)


def _check_same(before: QuestionVersion, renamed: Mapping[str, str], asked_again: Collection[str]) -> None:
    """Raise `PermanentError` for a second load of a version that would do otherwise with its answers: nothing would."""
    held, wanted = _in_words(before.renamed, before.asked_again), _in_words(renamed, asked_again)
    if wanted not in ("nothing", held):
        by = before.loaded_by.get_username() if before.loaded_by else "the system"
        raise PermanentError(
            f"The file is {before} already, which {by} loaded at {before.loaded_at:%F %T} with {held}: "
            f"{wanted} was not done.",
            hint="What labels are now is on the page of the question. A change of the file makes another version.",
        )


def _in_words(renamed: Mapping[str, str], asked_again: Collection[str]) -> str:
    told = [f"{old} renamed to {new}" for old, new in sorted(renamed.items())]
    told += [f"{old} asked again" for old in sorted(asked_again)]
    return ", ".join(told) or "nothing"


def _check_names(
    name: str, old: Sequence[str], new: Sequence[str], renamed: Mapping[str, str], asked_again: Collection[str]
) -> None:
    for source, target in renamed.items():
        if source in new or source not in old:
            raise PermanentError(f"{source} is no answer that {name} had and has no more.", hint=_way_out(new))
        if target not in new:
            raise PermanentError(f"{target} is no answer of {name}.", hint=_way_out(new))
    for source in asked_again:
        if source not in old:
            there = f"It had {', '.join(old)}." if old else "No version of it was loaded yet."
            raise PermanentError(f"{source} is no answer that {name} had.", hint=there)
        if source in renamed:
            raise PermanentError(f"{source} is either renamed or asked again.", hint="Leave one of the two out.")


def load(
    declaration: Declaration, *, renamed: Mapping[str, str], asked_again: Collection[str] = (), actor: Actor
) -> tuple[QuestionVersion, Change]:
    """Keep `declaration` as a version; labels follow `renamed`, and those of `asked_again` are put back to people.

    Returns the version, the latest where nothing is new.

    In one transaction with its ledger line; two that load at once take turns. What is asked again is kept beside the
    version (`LabelBefore`), and put before people soon after (questions/asking_again.py). Needs
    questions.load_question. Raises as `change`.
    """
    require_permission(actor, "questions.load_question")
    with transaction.atomic():
        take_turns("questions.load")
        found = change(declaration, renamed=renamed, asked_again=asked_again)
        before = latest(declaration.name)
        if before is not None and not found.is_new:
            return before, found
        content = content_of(declaration)
        version = QuestionVersion.objects.create(
            name=declaration.name,
            number=before.number + 1 if before else 1,
            content=content,
            content_hash=hash_json(content),
            renamed=dict(renamed),
            asked_again=sorted(asked_again),
            loaded_by=actor if isinstance(actor, User) else None,
        )
        n_asked = retiring.retire(version, asked_again) if asked_again else 0
        if renamed:
            _relabel(declaration.name, renamed, [one.value for one in declaration.choices])
        if renamed or asked_again:
            # How people err was measured with other answers, and what is no doubt any more asks nobody.
            own = Q(question=declaration.name) | Q(question__startswith=declaration.name + raters.OF)
            RaterModel.objects.filter(own).delete()
        payload = {
            "number": version.number,
            "content_hash": version.content_hash,
            "renamed": dict(renamed),
            "relabelled": sum(n for _, _, n in found.relabelled),
        }
        if asked_again:
            payload |= {"asked_again": sorted(asked_again), "put_back": n_asked}
        ledger.append("questions.version.loaded", subject=f"queue:{declaration.name}", actor=actor, payload=payload)
        hint_on_commit("questions.ask_again")
    return version, found


def _relabel(name: str, renamed: Mapping[str, str], order: list[str]) -> None:
    for model, fields in COLUMNS:
        rows = model._default_manager.filter(question=name).order_by()
        for field in fields:
            for label in list(rows.values_list(field, flat=True).distinct()):
                if (became := _renamed(label, renamed, order)) != label:
                    rows.filter(**{field: label}).update(**{field: became})
    doubts = LabelIssue.objects.filter(question=name, status=LabelIssue.Status.OPEN)
    doubts.exclude(given="").filter(given=F("suggested")).delete()


def _counts(name: str) -> dict[str, int]:
    """Return how many labels and votes of the question hold each answer."""
    counts: dict[str, int] = {}
    for model in (Label, Vote):
        for label, n in model._default_manager.filter(question=name).values_list("label").annotate(n=Count("pk")):
            counts[label] = counts.get(label, 0) + n
    return counts


def _held(counts: Mapping[str, int], value: str) -> int:
    return sum(n for label, n in counts.items() if value in label.split(JOINED))


def _renamed(label: str, renamed: Mapping[str, str], order: list[str]) -> str:
    """Return what `label` becomes: each of its answers renamed, in the order of the choices, each once."""
    became = {renamed.get(value, value) for value in label.split(JOINED)}
    return JOINED.join([value for value in order if value in became]) or label


def _way_out(new: Sequence[str]) -> str:
    return (
        f"Say what becomes of them with --rename OLD=NEW, where NEW is one of {', '.join(new)}; or with "
        "--ask-again OLD have people answer anew; or keep the answer."
    )
