"""How far the raters of an imported file agree with our own people, and whether they merely say what a model says.

Measured before anybody answers for them. What our people answered before the file came may be what it was made from: as
long as they can be asked about more of its texts, or have not answered yet, only what they answered afterwards counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import BigIntegerField, Count, Exists, Model, OuterRef, QuerySet, UUIDField
from django.db.models.functions import Cast, Substr

from catalog.models import ImportRun
from core.actors import user_keys
from core.refs import ref_in_sql, ref_to
from labeling import approvals
from labeling.labels import rater_of
from labeling.models import Vote
from labeling.subject import subject_of
from labeling.votes import labels_of
from moderation.label_exchange.importing import brought_in_by, question_of, source_of
from moderation.label_exchange.records import answered_by_files
from moderation.models.predictions import Prediction
from moderation.models.reviews import ReviewItem
from moderation.queues import seats
from moderation.queues.separation_of_duties import why_no_second

if TYPE_CHECKING:
    from labeling.quality.against import Against
    from labeling.quality.intervals import Estimate

# Of fewer no figure is given (labeling.quality.intervals).
FEWEST = 20
Answers = Mapping[str, Mapping[str, str]]  # subject → rater → label
Numbers = Mapping[str, int]  # label → its place among the answers of the question


@dataclass(frozen=True)
class Rater:
    """One rater of a file: how many votes, how far they agree with our people, and what speaks against them,
    in words.
    """

    name: str
    n_votes: int
    percent: Estimate
    problem: str = ""


@dataclass(frozen=True)
class Measured:
    """The raters of a file beside our own people.

    `counted` is what decides; `before` what our people had answered when the file came. `can_ask`: whether there are
    texts that they were not asked about. `model`: of the texts where our people contradict a model, how often the file
    says what the model says; `model_name` is the one that it follows most. `problem` is why nobody can answer for the
    file yet, `way_out` what to do about it; empty where nothing speaks against it.
    """

    n_votes: int
    counted: Against
    before: Against
    can_ask: bool
    model: Estimate
    model_name: str
    raters: tuple[Rater, ...]
    problem: str
    way_out: str


def measure(run: ImportRun) -> Measured:
    """Return how the raters of `run` compare with our own people, who answered the same without a suggestion.

    Raises `PermanentError` where the settings do not name its question any more.
    """
    question = question_of(run)
    answered_by_files(question)
    # Of several answers, each set that was ever said: people agree where they say the very same.
    number = {name: i for i, name in enumerate(labels_of(question))}
    votes = Vote.objects.filter(question=question, source=source_of(run))
    ours, earlier = _ours(question, number, votes, run)
    said = _said(votes, set(ours), number)
    can_ask = askable(run).exists()
    later = {subject: label for subject, label in ours.items() if subject not in earlier}
    # Where there is no answer left to ask or to wait for, what there is has to do.
    open_ = ReviewItem.objects.filter(
        question=question, lead=None, about__in=votes.order_by().values("subject"), status__in=seats.OPEN
    )
    to_come = can_ask or any(subject not in earlier for subject in open_.values_list("about", flat=True))
    counts = later if len(later) >= FEWEST or to_come else ours
    whole = _against(number, said, counts)
    model, model_name = _with_models(question, number, said, counts)
    problem, way_out = _speaks_against(run, whole, model, model_name, can_ask=can_ask, to_come=to_come)
    n_of = votes.order_by("rater").values_list("rater").annotate(n=Count("pk"))
    of_rater: defaultdict[str, dict[str, dict[str, str]]] = defaultdict(dict)
    for subject, given in said.items():
        for name, label in given.items():
            of_rater[name][subject] = {name: label}
    raters = tuple(_rater(number, name, n, of_rater.get(name, {}), counts) for name, n in n_of)
    before = _against(number, said, {subject: ours[subject] for subject in earlier if subject in ours})
    n_votes = sum(rater.n_votes for rater in raters)
    return Measured(n_votes, whole, before, can_ask, model, model_name, raters, problem, way_out)


def askable(run: ImportRun) -> QuerySet[Model]:
    """Return the rows that `run` labels and that nobody here was asked about. Raises as `measure`."""
    asked = answered_by_files(question_of(run))
    model = asked.subject_model
    own = ReviewItem.objects.filter(question=asked.name, lead=None, about=ref_in_sql(model, OuterRef("pk")))
    votes = Vote.objects.filter(source=source_of(run))
    key = UUIDField() if isinstance(model._meta.pk, UUIDField) else BigIntegerField()
    keys = votes.values_list(Cast(Substr("subject", len(ref_to(model, "")) + 1), key))
    return subject_of(asked.about).all().filter(~Exists(own), pk__in=keys)


def _said(votes: QuerySet[Vote], subjects: Collection[str], number: Numbers) -> Answers:
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    # A label that left the interface since is compared with nothing.
    votes = votes.filter(subject__in=subjects, label__in=number)
    for subject, rater, label in votes.values_list("subject", "rater", "label"):
        found[subject][rater] = label
    return found


def _ours(question: str, number: Numbers, brought: QuerySet[Vote], run: ImportRun) -> tuple[dict[str, str], set[str]]:
    """Return what most of our people said of what was `brought`, no suggestion shown, and what they had said before.

    Not second reviews: those are asked for where a label looks wrong. Not who brought it in: they would be measuring
    themselves. What they are split about is left out.
    """
    votes = Vote.objects.filter(question=question, subject__in=brought.values("subject"), label__in=number)
    votes = votes.exclude(source__startswith=approvals.FROM_FILES)
    votes = votes.exclude(is_assisted=True).exclude(purpose=Vote.Purpose.SECOND_REVIEW)
    votes = votes.exclude(rater__in=_party_to(run, votes))
    given: defaultdict[str, Counter[str]] = defaultdict(Counter)
    earlier = set()
    for subject, label, at in votes.values_list("subject", "label", "voted_at"):
        given[subject][label] += 1
        if at < run.started_at:
            earlier.add(subject)
    agreed = {}
    for subject, counts in given.items():
        first, *others = counts.most_common(2)
        if not others or others[0][1] < first[1]:
            agreed[subject] = first[0]
    return agreed, earlier


def _party_to(run: ImportRun, votes: QuerySet[Vote]) -> list[str]:
    """Return those who gave `votes` and are, or are in one hand with, somebody who brought `run` in."""
    named, bringers = votes.order_by().values_list("rater", flat=True).distinct(), brought_in_by(run)[0]
    return [rater_of(user) for user in User.objects.filter(pk__in=user_keys(named)) if why_no_second(user, bringers)]


def _against(number: Numbers, said: Answers, ours: Mapping[str, str], *, minimum: int = FEWEST) -> Against:
    from labeling.quality.against import measure_against, shares_of

    common = sorted(said.keys() & ours.keys())
    given = [list(said[subject].values()) for subject in common]
    shares = shares_of([[number[label] for label in labels] for labels in given], n_labels=len(number))
    return measure_against(shares, [number[ours[subject]] for subject in common], minimum=minimum)


def _with_models(question: str, number: Numbers, said: Answers, ours: Mapping[str, str]) -> tuple[Estimate, str]:
    """Return how often the file sides with a model against our people, for the model with which it does most."""
    from labeling.quality.against import shares_of, sided_with
    from labeling.quality.intervals import Estimate

    rows = Prediction.objects.of(question, sorted(set(ours) & set(said)))
    scored: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for subject, version, label in rows.values_list("subject", "model_version__number", "label"):
        if label in number:
            scored[version].append((subject, label))
    found = []
    for version, told in sorted(scored.items()):
        votes = [[number[label] for label in said[subject].values()] for subject, _ in told]
        truth, model = [number[ours[subject]] for subject, _ in told], [number[label] for _, label in told]
        found.append((sided_with(shares_of(votes, n_labels=len(number)), truth, model), f"v{version}"))
    return max(found, key=lambda one: one[0].low or 0.0, default=(Estimate(0), ""))


def _speaks_against(
    run: ImportRun, found: Against, model: Estimate, model_name: str, *, can_ask: bool, to_come: bool
) -> tuple[str, str]:
    """Return in words why nobody can answer for the file, and the way out."""
    from labeling.quality import against

    least = settings.LABEL_CHECKS.min_rater_kappa
    why = against.problem_with(found, model, least=least)
    if why == against.FEW:
        since = " since it came in" if to_come else ""
        return (
            f"our own people answered {found.percent.n} of its texts{since}, and {FEWEST} are needed to tell how far "
            "they agree.",
            f"Ask them about a sample: `manage.py approve_raters {run.pk} --ask 60 --by USERNAME`."
            if can_ask
            else "They were asked about all of its texts already; wait for their answers.",
        )
    if why == against.SAME:
        return "all answers are the same label: whether its raters read the texts cannot be told.", ""
    if why == against.APART:
        return (
            f"its raters and our own people agree too little beyond chance: κ {found.kappa.value:.2f}, 95 % interval "
            f"{found.kappa.low:.2f} to {found.kappa.high:.2f}, on {found.kappa.n} texts; {least:.2f} is needed.",
            "Look at what they disagree about, and have a sample labelled again.",
        )
    if why == against.A_MODELS:
        return (
            f"it says what the model {model_name} says: of {model.n} texts where our own people contradict that "
            f"model, the file sides with the model on {model.value:.0%} (95 % interval {model.low:.0%} to "
            f"{model.high:.0%}).",
            "Ask who labelled it, and with what.",
        )
    return "", ""


def _rater(number: Numbers, name: str, n_votes: int, said: Answers, ours: Mapping[str, str]) -> Rater:
    percent = _against(number, said, ours, minimum=1).percent
    problem = ""
    if percent.high is not None and percent.high < 0.5:
        problem = (
            f"says what our own people say of {percent.value:.0%} of {percent.n} texts: fewer than half, beyond chance"
        )
    return Rater(name, n_votes, percent, problem)
