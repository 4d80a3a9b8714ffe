"""Questions about texts: what was shown, who wrote it, who let it out, what was claimed, whether it was marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db.models import Q
from django.utils import timezone

from catalog.models import PublishedCopy
from core.actors import actor_ref
from core.exceptions import PermanentError
from moderation.live import content_credentials, marking
from moderation.models.candidates import Candidate, Finding
from moderation.models.retro_scans import RetroHit, RetroScan
from monitoring.auditor.asking import MOST_ROWS, Answer, Asked, table
from monitoring.evidence.story import live_at, story_of

# By a decision, or put back after a recall.
MADE_LIVE: Final = ("moderation.copy.published", "moderation.copy.restored")
# What each family of claims is called in the codes of findings.
CLAIMS: Final[Mapping[str, tuple[str, ...]]] = {
    "absolute": ("absolute_claim", "unsupported_first", "unproven_claim"),
    "health": ("health_claim", "medical_claim"),
    "price": ("price_claim",),
    "origin": ("origin",),
    "certificate": ("certification", "approval_claim"),
    "comparison": ("unsupported_comparison",),
    "environment": ("environmental_claim",),
    "number": ("unsupported_number", "unsupported_unit"),
    "material": ("material",),
}


def _stories(asked: Asked) -> list[dict[str, Any]]:
    moment = asked.at or timezone.now()
    stories = [story_of(copy, at=moment) for copy in live_at(moment, sku=asked.sku)]
    if not stories:
        raise PermanentError(
            f"Nothing of {asked.sku} was live then.", hint="`manage.py evidence SKU` says when something was."
        )
    return stories


def shown(asked: Asked) -> Answer:
    """1: what shoppers saw, and whether it is what the ledger says was let out."""
    rows, good = [], True
    for story in _stories(asked):
        hashes = [
            line["payload"].get("text_hash")
            for line in story["ledger"]
            if line["action"] in MADE_LIVE and line["subject"] == story["copy"]
        ]
        is_same = bool(hashes) and hashes[-1] == story["text_hash"]
        good &= is_same and story["ai_mark_is_genuine"]
        rows.append(
            (
                story["channel"],
                story["locale"],
                story["variant"],
                story["text"],
                story["published_at"][:19],
                is_same,
                story["ai_mark_is_genuine"],
                story["text_hash"],
            )
        )
    columns = (
        "channel",
        "locale",
        "variant",
        "text",
        "live since",
        "is what the ledger says",
        "signed mark is genuine",
        "sha256",
    )
    words = "unaltered: text, ledger and signed mark agree." if good else "NOT proven: see the columns that say no."
    note = "“manage.py evidence SKU --at DATE” writes it with its proofs, for whoever is outside."
    return Answer(
        f"{len(rows)} text(s) were shown, {words}", [table("Shown", columns, rows, note=note)], alarm=not good
    )


def origin(asked: Asked) -> Answer:
    """2: which model, prompt, parameters, seed and facts made it, and whether the prompt can be rendered again."""
    rows = []
    for story in _stories(asked):
        draft, model = story["draft"], story["draft"]["model"] or {}
        rows.append(
            (
                story["channel"],
                story["locale"],
                draft["candidate"],
                f"{model.get('name', '–')} v{model.get('number', '–')}",
                str(model.get("artifact_hash", ""))[:16],
                f"{draft['prompt']['version']} {draft['prompt']['hash'][:12]}",
                draft["seed"],
                _pairs(draft["params"]),
                _pairs({f["name"]: f["value"] for f in draft["facts"]}),
                draft["prompt"]["rendered_again_is_the_same"],
            )
        )
    columns = (
        "channel",
        "locale",
        "candidate",
        "model",
        "weights",
        "prompt",
        "seed",
        "parameters",
        "facts",
        "prompt can be rendered again",
    )
    note = "“manage.py reproduce CANDIDATE” has the model write it again, or says why it cannot."
    return Answer(f"{len(rows)} text(s), each with what made it.", [table("Origin", columns, rows, note=note)])


def decided(asked: Asked) -> Answer:
    """3: who let it out, under which policy, how long they looked, what they changed."""
    rows = []
    for story in _stories(asked):
        changed = " ".join(
            f"{'+' if c['kind'] == 'in' else '-'}“{c['text'].strip()}”"
            for c in story["changes"]
            if c["kind"] != "same" and c["text"].strip()
        )
        rows += [
            (
                story["channel"],
                story["locale"],
                d["at"][:19],
                d["who"],
                d["second_person"],
                d["outcome"],
                d["seconds"],
                d["held_seconds"],
                d["policy_version"],
                ", ".join(d["reason_codes"]),
                changed,
            )
            for d in story["decisions"]
        ]
    columns = (
        "channel",
        "locale",
        "at",
        "who",
        "second person",
        "outcome",
        "seconds",
        "from taken to answered",
        "policy",
        "reasons",
        "changed",
    )
    return Answer(f"{len(rows)} decision(s).", [table("Decisions", columns, rows)])


def claims(asked: Asked) -> Answer:
    """8: every claim that a check pointed at in live copy, with what backs it and what the reviewer said."""
    wanted = Q()
    for word in CLAIMS.get(asked.code, (asked.code,)) if asked.code else sum(CLAIMS.values(), ()):
        wanted |= Q(code__contains=word)
    of_product = {"product__sku": asked.sku} if asked.sku else {}
    live = Candidate.objects.filter(status=Candidate.Status.PUBLISHED, **of_product)
    found = Finding.objects.filter(wanted, candidate__in=live).select_related("candidate__product")
    rows = [
        (
            f.candidate.product.sku,
            f.candidate.channel,
            f.candidate.locale,
            f.code,
            f.candidate.text[f.start : f.end] if f.start is not None else "(the text)",
            f.severity,
            f.verdict or "–",
            _evidence(f.evidence),
        )
        for f in found.order_by("candidate__product__sku", "candidate_id", "start")[: MOST_ROWS + 1]
    ]
    columns = ("sku", "channel", "locale", "claim", "words", "severity", "reviewer said", "backed by, or nearest fact")
    return Answer(
        f"{len(rows)} claim(s) in {live.count():,} live text(s) were pointed at.",
        [table("Claims", columns, rows, note=f"--code takes a finding's code or one of: {', '.join(CLAIMS)}.")],
    )


def failing(asked: Asked) -> Answer:
    """7: which live texts a later policy finds fault with, and what was withdrawn for it, when."""
    scans = RetroScan.objects.filter(**asked.within("created_at")).select_related("version", "actor")
    hits = RetroHit.objects.filter(scan__in=scans).select_related("scan__version", "published_copy__product")
    if asked.sku:
        hits = hits.filter(published_copy__product__sku=asked.sku)
    tried = (
        (
            s.created_at,
            actor_ref(s.actor),
            f"policy {s.version.number}",
            s.get_status_display(),
            s.n_seen,
            s.n_total,
            _pairs(s.counts),
            s.finished_at,
        )
        for s in scans
    )
    found = (
        (
            h.published_copy.product.sku,
            h.published_copy.channel,
            h.published_copy.locale,
            f"policy {h.scan.version.number}",
            ", ".join(sorted({f["code"] for f in h.findings})),
            h.severity,
            h.get_status_display(),
            h.published_copy.retired_at,
        )
        for h in hits.order_by("-pk")[: MOST_ROWS + 1]
    )
    down = hits.filter(status=RetroHit.Status.RECALLED).count()
    return Answer(
        f"{scans.count()} policy version(s) were tried on live copy; {hits.count()} text(s) found, {down} down now.",
        [
            table(
                "Tried",
                ("at", "by", "policy", "state", "texts seen", "of", "texts by code", "stage ended"),
                tried,
                note="“manage.py retro_scan” tries a policy now; the page Retro-scans takes down and puts back.",
            ),
            table("Found", ("sku", "channel", "locale", "by", "codes", "severity", "now", "taken down"), found),
        ],
    )


def marks(asked: Asked) -> Answer:
    """9: whether each live text has its mark, made for the text as it went out, and what its page was seen to carry."""
    live = PublishedCopy.objects.filter(retired_at=None, **({"product__sku": asked.sku} if asked.sku else {}))
    rows: list[Sequence[Any]] = []
    counts = Counter[str]()
    for copy in live.select_related("product", "mark_check").order_by("product__sku", "pk").iterator(chunk_size=500):
        genuine = marking.is_genuine(copy.ai_mark.get("AIGC", {}), copy.text)
        manifest = marking.with_manifest(copy)
        state = content_credentials.state_of(manifest) if manifest else "none"
        check = getattr(copy, "mark_check", None)
        counts["genuine" if genuine and state != "invalid" else "not genuine"] += 1
        counts[check.outcome if check else "page not read"] += 1
        if len(rows) <= MOST_ROWS:
            edited = "edited" in str(copy.ai_mark.get("label", "")) or "编辑" in str(copy.ai_mark.get("label", ""))
            rows.append(
                (
                    copy.product.sku,
                    copy.channel,
                    copy.locale,
                    copy.ai_mark.get("label"),
                    genuine,
                    state,
                    edited,
                    check.get_outcome_display() if check else "not read",
                    check.at if check else None,
                )
            )
    columns = (
        "sku",
        "channel",
        "locale",
        "label",
        "signed mark is genuine",
        "C2PA",
        "after an edit",
        "page",
        "read at",
    )
    words = ", ".join(f"{n:,} {what.replace('_', ' ')}" for what, n in sorted(counts.items()))
    return Answer(f"Live texts: {words or 'none'}.", [table("Marks", columns, rows)])


def _evidence(evidence: Mapping[str, Any]) -> str:
    return "; ".join(str(evidence[key]) for key in ("backed_by", "fact", "nearest_fact", "source") if evidence.get(key))


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
