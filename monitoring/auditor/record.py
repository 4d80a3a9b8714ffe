"""Questions about the record itself: is it complete, what was exported, who acted past the rules, what failed."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.db.models import Count, Q

from audit.models import LedgerCheck, LedgerEntry, SubjectKey
from audit.verification import verify
from core.actors import actor_ref
from labeling.models import CompletenessProof
from monitoring.auditor.asking import MOST_ROWS, Answer, Asked, table
from monitoring.models import Alert
from monitoring.parts import in_words

# Moves that set a rule aside, or change what the rules are.
PAST_THE_RULES: Final = (
    "moderation.candidate.overruled",
    "moderation.policy.activated",
    "moderation.retroscan.",
    "moderation.queue.policy_set",
    "accounts.",
    "monitoring.quarantine",
    "catalog.product.",
    "catalog.fact",
    "inference.alias.moved",
    "inference.model.registered",
    "moderation.copy.retired",
    "outbox.endpoint.",
)


def completeness(asked: Asked) -> Answer:
    """14: whether lines are missing or changed, who verified that, against what;
    and whether Label Studio is accounted for.
    """
    result = verify()
    found = LedgerCheck.objects.filter(**asked.within("at"))
    rows = (
        (
            c.at,
            c.by,
            c.get_kind_display(),
            c.size,
            c.n_heads,
            c.anchored_size,
            c.marked_size,
            c.is_intact,
            c.bad_seq,
            c.words,
        )
        for c in found[: MOST_ROWS + 1]
    )
    columns = (
        "at",
        "by",
        "of",
        "lines that hold",
        "signed heads compared",
        "lines the second place vouches for",
        "high-water mark",
        "whole",
        "first bad line",
        "words",
    )
    proofs = CompletenessProof.objects.order_by("-pk")[:20]
    words = (
        f"{result.n_entries:,} lines without a gap, head {result.head_hash}."
        if result.is_intact
        else f"BROKEN at line {result.bad_seq}: {result.reason}."
    )
    return Answer(
        words,
        [
            table(
                "Checks, the latest first", columns, rows, note="“manage.py verify_ledger” checks now and is recorded."
            ),
            table("Proofs against Label Studio", ("proof",), ((str(proof),) for proof in proofs)),
        ],
        alarm=not result.is_intact,
    )


def erasures(asked: Asked) -> Answer:
    """16: who was erased, when, and that the chain holds without their words."""
    lines = LedgerEntry.objects.filter(action="audit.person.erased", **asked.within("at")).order_by("-seq")
    result = verify()
    held = "holds" if result.is_intact else f"is BROKEN at line {result.bad_seq}"
    told = (
        "What people typed is sealed in the ledger under a key of their own. “manage.py erase_person” deletes the key "
        "and empties the account; hashes and signatures are over the sealed words, so the chain still verifies."
    )
    return Answer(
        f"{lines.count()} person(s) erased; the chain {held}. {told}",
        [
            table(
                "Erased",
                ("line", "at", "by", "whose", "keys deleted"),
                ((e.seq, e.at, e.actor, e.subject, e.payload.get("keys")) for e in lines[: MOST_ROWS + 1]),
            ),
            table("Keys of typed words", ("people whose words can still be read",), [(SubjectKey.objects.count(),)]),
        ],
        alarm=not result.is_intact,
    )


def alerts(asked: Asked) -> Answer:
    """17: what was in trouble, who took it on, and how long both took."""
    found = Alert.objects.filter(**asked.within("raised_at")).select_related("acknowledged_by")
    rows = [
        (
            a.raised_at,
            a.part,
            a.state,
            a.words,
            in_words(a.acknowledged_at - a.raised_at) if a.acknowledged_at else "nobody",
            actor_ref(a.acknowledged_by) if a.acknowledged_by else "–",
            in_words(a.ended_at - a.raised_at) if a.ended_at else "still open",
        )
        for a in found[: MOST_ROWS + 1]
    ]
    n_open = found.filter(ended_at=None).count()
    columns = ("raised at", "part", "state", "words", "taken on after", "by", "lasted")
    return Answer(f"{found.count():,} alert(s), {n_open} still open.", [table("Alerts", columns, rows)])


def exports(asked: Asked) -> Answer:
    """19: every export with its hash: the same question gives the same hash while nothing changed."""
    wanted = (
        Q(action__contains="export") | Q(action="monitoring.evidence.collected") | Q(action="training.snapshot.frozen")
    )
    found = LedgerEntry.objects.filter(wanted, **asked.within("at")).order_by("-seq")
    rows = (
        (
            e.at,
            e.actor,
            e.action,
            e.subject,
            e.payload.get("hash") or e.payload.get("sha256") or e.payload.get("artifact_hash"),
            e.payload,
        )
        for e in found[: MOST_ROWS + 1]
    )
    return Answer(
        f"{found.count():,} export(s).", [table("Exports", ("at", "who", "what", "of", "hash", "more"), rows)]
    )


def past_the_rules(asked: Asked) -> Answer:
    """20: what was done past the rules or to them, and which accounts the rules do not bind."""
    wanted = Q()
    for prefix in PAST_THE_RULES:
        wanted |= Q(action__startswith=prefix)
    found = LedgerEntry.objects.filter(wanted, **asked.within("at"))
    if asked.person:
        found = found.filter(actor=asked.person)
    counts = found.order_by().values("action").annotate(n=Count("pk")).order_by("action")
    free = [(actor_ref(user), user.is_active) for user in User.objects.filter(is_superuser=True).order_by("pk")]
    lines = ((e.seq, e.at, e.actor, e.action, e.subject, e.payload) for e in found.order_by("-seq")[: MOST_ROWS + 1])
    return Answer(
        f"{found.count():,} such move(s); {len(free)} account(s) that no role bounds.",
        [
            table("How often", ("what", "times"), ((row["action"], row["n"]) for row in counts)),
            table("Moves", ("line", "at", "who", "what", "about", "more"), lines),
            table(
                "Superusers",
                ("who", "active"),
                free,
                note="Changes in SQL past the console are found in the ledger's own table, not in others.",
            ),
        ],
    )
