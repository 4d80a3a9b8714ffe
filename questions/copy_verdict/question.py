"""Accept, fix or reject a draft: what decides whether a shopper sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.urls import reverse

from core.addresses import parts_of
from core.refs import keys_of, ref
from labeling import answers
from labeling.annotations import Result, choices, prediction_of
from labeling.question import Choice, Question
from moderation import markup
from moderation.models.candidates import Candidate
from moderation.policy.fixups import apply_fixups, read_fixup
from moderation.policy.merging import is_contradicted
from moderation.queues.rules import policy_for
from moderation.reason_codes import REASONS
from questions.addresses import absolute, picture_url
from questions.copy_verdict.screen import AS_PROPOSED, COPY_REVIEW, N_FINDING_KEYS

OFF_BRAND = "off_brand"
# How a finding's code begins → the reason that goes with it.
SUGGESTED_REASONS = {"unsupported_": "unsupported_claim", "too_long": "too_long", "brand_": OFF_BRAND}


class CopyVerdict(Question):
    """Accept, fix or reject a draft."""

    name = "copy_verdict"
    title = "Copy review"
    icon = "play_circle"
    description = "Drafts of product copy that wait for a person's verdict."
    instructions = (
        "<p><b>Accept</b> (1): it goes live as it is. <b>Fix</b> (2): correct the text, your version goes live. "
        "<b>Reject</b> (3): nobody will see it. <b>Fix as proposed</b> (4): with what our checks propose, of all that "
        "you did not tick as a false alarm.</p><p>What our checks found is marked in the draft. Tick what is a "
        "false alarm; an accept says of each warning that it is one, or that it is right and why the text may go out. "
        "A fix and a rejection name their reasons.</p><p>A health or price claim, or a block that was overruled, "
        "needs a comment, and a second person confirms what goes out.</p><p>Not sure? <b>Ask a senior reviewer</b> "
        "(9) and say why in the comment.</p>"
    )
    submit_hint = (
        "Submit waits for a verdict; a fix and a rejection for a reason too, and “Other” and a senior for a comment."
    )
    when_paused = "Drafting is paused; orders are kept"
    choices = (
        Choice("accept", "Accept", "1", "good"),
        Choice("fix", "Fix", "2"),
        Choice("reject", "Reject", "3", "bad"),
    )
    about = "draft"
    top = "draft_html"

    def config(self) -> str:
        return COPY_REVIEW

    def task_data(self, subject: Candidate) -> dict[str, Any]:
        product = subject.product
        return task_data_of(
            title=product.title_for(subject.locale),
            brand=product.brand,
            category=product.category,
            image_url=picture_url(product),
            channel=subject.get_channel_display(),
            locale=subject.locale,
            facts=[(fact["name"], fact["value"]) for fact in subject.facts],
            text=subject.text,
            findings=_shown(subject),
            grounding=subject.grounding,
            reading=subject.proofreading,
            console_url=absolute(reverse("admin:moderation_candidate_change", args=[subject.pk])),
        )

    def suggestions(
        self, subject: Candidate, *, label: str = "", model_version: str = "", score: float | None = None
    ) -> list[dict[str, Any]]:
        """Return the reasons that our findings suggest; the verdict is the reviewer's alone."""
        return reasons_suggested(_shown(subject), model_version=model_version, score=score)

    def parse(self, result: Result, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return {verdict, fixed_text, reason_codes, dismissed_findings, confirmed_findings, escalate, comment}.

        Fixed as proposed is a fix: its text and reasons come from the fix-ups of what was not dismissed, and `fixups`
        names their findings; empty where there were none to take.

        A finding that the reviewer did not dismiss counts as confirmed when they did not let the draft out as it is, or
        said that it is right and the text may go out all the same. A verdict may be missing only where a senior is
        asked for.
        """
        parts = answers.parts_of(
            result, {"verdict", "fixed_text", "reasons", "dismissed", "confirmed", "escalate", "comment"}
        )
        findings = [str(finding["value"]) for finding in payload.get("findings") or []]
        escalate = bool(answers.picked(parts, "escalate", ("escalate",)))
        verdict = answers.one(parts, "verdict", (*self.labels, AS_PROPOSED), required=not escalate)
        is_as_proposed, verdict = verdict == AS_PROPOSED, "fix" if verdict == AS_PROPOSED else verdict
        dismissed = answers.picked(parts, "dismissed", findings)
        confirms = bool(answers.picked(parts, "confirmed", ("confirmed",))) or verdict in ("fix", "reject")
        answer = {
            "verdict": verdict,
            "fixed_text": answers.text(parts, "fixed_text") if verdict == "fix" else "",
            "reason_codes": answers.picked(parts, "reasons", tuple(REASONS)) if verdict in ("fix", "reject") else [],
            "dismissed_findings": dismissed,
            "confirmed_findings": [f for f in findings if f not in dismissed] if confirms else [],
            "escalate": escalate,
            "comment": answers.text(parts, "comment")[: answers.LONGEST_COMMENT],
        }
        return answer | _as_proposed(payload, dismissed) if is_as_proposed else answer

    def label_of(self, answer: Mapping[str, Any]) -> str:
        return str(answer.get("verdict") or "")

    def result_of(self, label: str) -> list[dict[str, Any]]:
        return [choices("verdict", label, to="draft")]

    def fills_suggestions(self) -> bool:
        return policy_for(self.name).ticks_suggestions

    def beside(self, payload: Mapping[str, Any], predictions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Name the reasons that our checks suggest, below the draft."""
        suggested = [REASONS[code] for code in answers.suggested(predictions, "reasons") if code in REASONS]
        return markup.with_suggestion(
            payload, "draft_html", f"Our checks suggest: {', '.join(suggested)}" if suggested else ""
        )

    def conflict(self, answers: Sequence[Mapping[str, Any]]) -> str:
        """Two people who both would fix a draft have still to agree on the text that goes out."""
        texts = {" ".join(str(answer.get("fixed_text") or "").split()) for answer in answers}
        return "several fixes differ" if len(texts) > 1 else ""

    @property
    def subject_model(self) -> type[Candidate]:
        return Candidate

    def rows(self, subjects: Sequence[str]) -> dict[str, Candidate]:
        rows = Candidate.objects.filter(pk__in=keys_of(subjects, Candidate)).select_related("product")
        return {ref(row): row for row in rows}

    def inputs(self, subjects: Sequence[Candidate]) -> list[str]:
        return [draft.text for draft in subjects]


def _shown(candidate: Candidate) -> list[dict[str, Any]]:
    return [
        {
            "id": f.pk,
            "code": f.code,
            "severity": f.severity,
            "message": f.message,
            "start": f.start,
            "end": f.end,
            "fixup": f.evidence.get("fixup"),
        }
        for f in candidate.findings.all()
    ]


def _as_proposed(payload: Mapping[str, Any], dismissed: Sequence[str]) -> dict[str, Any]:
    """Return what taking the fix-ups of `payload` makes of an answer; those of dismissed findings are not taken."""
    taken = [entry for entry in payload.get("fixups") or [] if str(entry["finding"]) not in dismissed]
    fixups = [fixup for entry in taken if (fixup := read_fixup({"fixup": entry}))]
    return {
        "fixed_text": apply_fixups(str(payload["text"]), fixups) if fixups else "",
        "reason_codes": _reasons_of([str(entry["code"]) for entry in taken]),
        "fixups": [str(entry["finding"]) for entry in taken],
    }


def _reasons_of(codes: Sequence[str]) -> list[str]:
    """Return the reasons that go with fix-ups of findings with `codes`: about facts, about the brand, or both."""
    about_brand = [code for code in codes if code.startswith("brand_")]
    reasons = [OFF_BRAND] if about_brand else []
    if len(about_brand) == len(codes) and codes:
        return reasons
    return ["wrong_fact" if any(map(is_contradicted, codes)) else "unsupported_claim", *reasons]


def task_data_of(
    *,
    title: str,
    brand: str = "",
    category: str = "",
    facts: Iterable[tuple[str, str]] = (),
    image_url: str = "",
    channel: str,
    locale: str,
    text: str,
    findings: Sequence[Mapping[str, Any]] = (),
    grounding: float | None = None,
    reading: Mapping[str, Any] | None = None,
    console_url: str = "",
) -> dict[str, Any]:
    """Return the task data of a draft.

    `findings` are {id, code, severity, message, start, end, fixup} with `start` and `end` in characters of `text`
    (None: about the whole text) and the `fixup` of their evidence, if there is one; `grounding` is 0 to 1;
    `reading` is what proofreading found (moderation.drafting.proofreading.Reading).
    """
    return {
        "product_html": markup.product_html(title, brand, category),
        "image": image_url if parts_of(image_url).scheme in ("http", "https") else markup.NO_PICTURE,
        "facts_html": markup.facts_html(facts, console_url),
        "draft_html": markup.draft_html(text, findings, channel=channel, locale=locale, grounding=grounding)
        + markup.hints_html(text, reading or {}),
        "findings": [
            {
                "value": str(finding["id"]),
                "html": markup.finding_html(number, finding, text),
                **({"hotkey": f"f{number}"} if number <= N_FINDING_KEYS else {}),
            }
            for number, finding in enumerate(findings, 1)
        ],
        "text": text,
        "fixups": [
            {"finding": str(finding["id"]), "code": finding["code"], **fixup.as_evidence}
            for finding in findings
            if (fixup := read_fixup(finding))
        ],
    }


def reasons_suggested(
    findings: Sequence[Mapping[str, Any]], *, model_version: str, score: float | None = None
) -> list[dict[str, Any]]:
    """Return the prediction the reviewer starts from: the reasons our findings suggest. The verdict is theirs alone.

    The text to be fixed needs none: its control starts from the draft in the task's data.
    """
    codes = [str(finding["code"]) for finding in findings]
    suggested = [
        reason for prefix, reason in SUGGESTED_REASONS.items() if any(code.startswith(prefix) for code in codes)
    ]
    return [prediction_of([choices("reasons", *suggested, to="draft")], model_version, score)] if suggested else []
