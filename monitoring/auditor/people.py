"""Questions about people: what they saw before they judged, how fast and how well they judge, who may do what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import Group, User
from django.db.models import Count, Exists, OuterRef, Q

from audit.models import LedgerEntry
from catalog.models import CustomerReview, PublishedCopy
from core.actors import actor_ref
from core.exceptions import PermanentError
from core.refs import ref_in_sql, ref_to
from labeling.models import Label, Vote
from labeling.question import question, queues
from labeling.subject import subject_of
from moderation.live import history
from moderation.models.appeals import Appeal
from moderation.models.predictions import Prediction
from moderation.models.reviews import SENTIMENT, Decision, ReviewItem
from monitoring.auditor.asking import MOST_ROWS, Answer, Asked, Table, table
from monitoring.label_quality import scorecards
from monitoring.models import Refusal

SEES_MORE = (
    "moderation.review_escalated_item",
    "moderation.overrule_block",
    "moderation.check_decision",
    "moderation.judge_appeal",
    "catalog.retire_copy",
)


def suggestions(asked: Asked) -> Answer:
    """4: whether people saw what a model suggested before they judged."""
    votes = Vote.objects.filter(**asked.within("voted_at"))
    if asked.person:
        votes = votes.filter(rater=asked.person)
    counts = votes.order_by().values("question", "purpose", "is_assisted").annotate(n=Count("pk"))
    rows = [
        (row["question"], row["purpose"], {True: "yes", False: "no", None: "not known"}[row["is_assisted"]], row["n"])
        for row in counts.order_by("question", "purpose", "is_assisted")
    ]
    told = "A draft and what checks found in it are always shown; the verdict on copy is never filled in."
    return Answer(
        f"{sum(row[3] for row in rows):,} answers. {told}",
        [
            table(
                "Answers by whether the suggestion was shown",
                ("queue", "asked as", "suggestion shown", "answers"),
                rows,
            )
        ],
    )


def escalations(asked: Asked) -> Answer:
    """5: what went to a senior, whether another person decided it, and who could have overruled."""
    items = ReviewItem.objects.filter(escalated_at__isnull=False, **asked.within("escalated_at"))
    if asked.sku:
        items = items.filter(Q(candidate__product__sku=asked.sku) | Q(customer_review__product__sku=asked.sku))
    rows, same = [], 0
    for item in items.select_related("escalated_by", "candidate__product").order_by("-escalated_at")[:2000]:
        decision = item.decisions.filter(superseded_by=None).select_related("reviewer").first()
        is_same = bool(decision and item.escalated_by_id and decision.reviewer_id == item.escalated_by_id)
        same += is_same
        rows.append(
            (
                item.pk,
                item.candidate.product.sku if item.candidate else "",
                item.escalated_at,
                _who(item.escalated_by),
                item.escalated_reason,
                _who(decision.reviewer) if decision else "open",
                decision.outcome if decision else "",
                not is_same,
            )
        )
    columns = ("item", "sku", "escalated at", "by", "why", "decided by", "outcome", "another person")
    words = f"{len(rows)} escalation(s); in {same} of them the same person decided."
    return Answer(
        words,
        [table("Escalations", columns, rows), _of_two(asked), _appeals(asked), _who_may(SEES_MORE)],
        alarm=bool(same),
    )


def _of_two(asked: Asked) -> Table:
    found = Decision.objects.exclude(high_severity=[]).filter(**asked.within("created_at"))
    if asked.sku:
        found = found.filter(
            Q(item__candidate__product__sku=asked.sku) | Q(item__lead__candidate__product__sku=asked.sku)
        )
    rows = (
        (
            d.created_at,
            d.pk,
            d.outcome,
            _who(d.reviewer),
            _who(d.checker),
            d.reviewer_id != d.checker_id,
            d.check_note,
            ", ".join(d.high_severity),
        )
        for d in found.select_related("reviewer", "checker")[: MOST_ROWS + 1]
    )
    columns = ("at", "decision", "outcome", "by", "second person", "another person", "their note", "needed two for")
    return table("Decisions of high severity", columns, rows)


def _appeals(asked: Asked) -> Table:
    found = Appeal.objects.filter(**asked.within("created_at")).select_related(
        "appellant", "judge", "decision__reviewer"
    )
    rows = (
        (
            a.created_at,
            a.decision_id,
            _who(a.decision.reviewer),
            _who(a.appellant),
            a.status,
            _who(a.judge),
            a.decided_at,
        )
        for a in found[: MOST_ROWS + 1]
    )
    return table("Appeals", ("at", "against decision", "of", "by", "status", "judged by", "judged at"), rows)


def quick(asked: Asked) -> Answer:
    """6: what a person let out unchanged in less than so many seconds."""
    if asked.seconds is None or asked.seconds <= 0:
        raise PermanentError("Less than how many seconds?", hint="Give --seconds, e.g. 10.")
    least = dt.timedelta(seconds=asked.seconds)
    found = Decision.objects.filter(history.let_out_unchanged(within=least), **asked.within("created_at"))
    if asked.person:
        found = found.filter(reviewer_id=_pk(asked.person))
    by_person = found.order_by().values("reviewer_id").annotate(n=Count("pk")).order_by("-n")
    whole = found.select_related("reviewer", "item__candidate__product", "item__lead__candidate__product")
    rows = [
        (
            decision.created_at,
            _who(decision.reviewer),
            decision.item.leading.candidate and decision.item.leading.candidate.product.sku,
            decision.lead_time or decision.dwell_time,
            decision.pk,
        )
        for decision in whole[: MOST_ROWS + 1]
    ]
    return Answer(
        f"{found.count():,} text(s) were let out unchanged in less than {asked.seconds:g} s.",
        [
            table("By person", ("who", "texts"), ((f"user:{row['reviewer_id']}", row["n"]) for row in by_person)),
            table("Texts", ("at", "who", "sku", "looked", "decision"), rows),
        ],
    )


def agreement(asked: Asked) -> Answer:
    """12: how well people agree and how often they are right, by person, language and category."""
    tables: list[Table] = []
    for name, title in queues():
        cards = [entry for entry in scorecards(name) if not asked.person or entry.rater == asked.person]
        rows = [
            (
                entry.rater,
                entry.card.n_votes,
                _figure(entry.card.gold),
                _figure(entry.card.agreement),
                _figure(entry.card.seconds),
            )
            for entry in cards
        ]
        columns = ("who", "answers", "right on known answers", "agrees with the others", "median seconds")
        tables += [table(f"{title}: people", columns, rows), _against_the_label(name, title)]
    return Answer(
        "By person, by language and category. The page Label quality has κ, α and AC1 with their intervals.", tables
    )


def _against_the_label(name: str, title: str) -> Table:
    """How often a vote was the label that was held to be true in the end, by language and category."""
    from django.db import connection

    about = subject_of(question(name).about)
    rows_of, prefix, product = about.model._meta.db_table, ref_to(about.model, ""), about.product_column
    language = f"s.{about.locale_column}" if about.locale_column else "'–'"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {language}, COALESCE(NULLIF(p.category, ''), '–'), count(*), "  # noqa: S608  (names from above)
            f"avg((v.label = l.label)::int) FROM labeling_vote v "
            f"JOIN labeling_label l ON l.question = v.question AND l.subject = v.subject "
            f"JOIN {rows_of} s ON v.subject = %s || s.id::text LEFT JOIN catalog_product p ON p.id = s.{product} "
            f"WHERE v.question = %s GROUP BY 1, 2 ORDER BY 1, 2",
            [prefix, name],
        )
        found = cursor.fetchall()
    rows = ((place, category, n, f"{float(share):.1%}") for place, category, n, share in found)
    return table(f"{title}: answers that were the label in the end", ("language", "category", "answers", "share"), rows)


def coverage(asked: Asked) -> Answer:
    """13: what share had human eyes, and how the rest was sampled."""
    published = PublishedCopy.objects.filter(**asked.within("published_at"))
    n, seen = published.count(), published.filter(provenance__human_reviewed=True).count()
    reviews = CustomerReview.objects.filter(**asked.within("created_at"))
    said = Prediction.objects.filter(
        question=SENTIMENT, subject=ref_in_sql(CustomerReview, OuterRef("pk")), is_shadow=False
    )
    scored = reviews.filter(Exists(said)).count()
    labelled = Label.objects.filter(question=SENTIMENT, **asked.within("labelled_at")).count()
    by_strategy = ReviewItem.objects.work().filter(**asked.within("created_at")).order_by()
    counts = (
        by_strategy.values("question", "purpose", "strategy")
        .annotate(n=Count("pk"))
        .order_by("question", "purpose", "strategy")
    )
    rows = [
        ("published texts", n, seen),
        ("customer reviews", reviews.count(), labelled),
        ("… scored by a model", scored, ""),
    ]
    share = f"{seen / n:.0%}" if n else "none yet:"
    return Answer(
        f"{share} of {n:,} published texts were let out by a person.",
        [
            table("Coverage", ("what", "how many", "with human eyes"), rows),
            table(
                "Why people were asked",
                ("queue", "asked as", "chosen by", "items"),
                ((row["question"], row["purpose"], row["strategy"] or "all", row["n"]) for row in counts),
            ),
        ],
    )


def access(asked: Asked) -> Answer:
    """15: who was given or lost rights, and who was refused."""
    changes = LedgerEntry.objects.filter(action__startswith="accounts.", **asked.within("at")).order_by("-seq")
    refused = Refusal.objects.filter(**asked.within("hour"))
    if asked.person:
        changes = changes.filter(Q(subject=f"auth.user:{_pk(asked.person)}") | Q(actor=asked.person))
        refused = refused.filter(account=asked.person)
    rows = (
        (e.at, e.actor, e.action, e.subject, e.payload.get("roles"), e.payload.get("is_active"))
        for e in changes[: MOST_ROWS + 1]
    )
    denied = (
        (r.hour, r.get_kind_display(), r.account or "no such account", r.what, r.n) for r in refused[: MOST_ROWS + 1]
    )
    return Answer(
        f"{changes.count():,} change(s) of accounts, {refused.count():,} kind(s) of refusal.",
        [
            table("Changes of accounts", ("at", "by", "what", "whose", "roles after", "active after"), rows),
            table("Refused, by the hour", ("hour", "kind", "account", "page or call", "times"), denied),
            table("Roles now", ("role", "people", "permissions"), _roles()),
        ],
    )


def _roles() -> Iterator[tuple[str, int, str]]:
    for group in Group.objects.prefetch_related("permissions__content_type", "user_set").order_by("name"):
        held = sorted(
            f"{p.content_type.app_label}.{p.codename}"
            for p in group.permissions.all()
            if not p.codename.startswith("view_")
        )
        yield group.name, group.user_set.filter(is_active=True).count(), ", ".join(held) or "reads only"


def _who_may(permissions: tuple[str, ...]) -> Table:
    rows = []
    for user in User.objects.filter(is_active=True).order_by("pk"):
        if held := [name for name in permissions if user.has_perm(name)]:
            rows.append((actor_ref(user), ", ".join(held)))
    return table("Who may decide over others, now", ("who", "may"), rows)


def _who(user: Any) -> str:
    return actor_ref(user) if user else "–"


def _pk(person: str) -> int:
    head, _, number = person.partition(":")
    if head != "user" or not number.isdecimal() or len(number) > 18:
        raise PermanentError(f"{person!r} is no pseudonym.", hint="Write user:5; the list of people has the numbers.")
    return int(number)


def _figure(estimate: Any) -> str:
    if estimate.value is None:
        return f"too few ({estimate.n})"
    return f"{estimate.value:.3g} [{estimate.low:.3g}, {estimate.high:.3g}] of {estimate.n}"
