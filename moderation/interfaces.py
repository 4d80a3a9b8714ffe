"""How the desk's work looks in Label Studio, what fills it, and how answers are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from catalog.models import CustomerReview
from core.exceptions import PermanentError
from core.refs import keys_of, ref
from inference.models import ModelAlias, Role
from labeling.label_config import LabelingInterface, Result, by_control, choices
from moderation import markup
from moderation.interface_texts import COPY_REVIEW, N_FINDING_KEYS, REASONS, REVIEW_SENTIMENT
from moderation.models.candidates import Candidate
from moderation.models.reviews import Sentiment
from moderation.queues.rules import policy_for

# How a finding's code begins → the reason that goes with it.
SUGGESTED_REASONS = {"unsupported_": "unsupported_claim", "too_long": "too_long"}
VERDICTS = ("accept", "fix", "reject")
SENTIMENTS = ("positive", "negative", "neutral")
LONGEST_COMMENT = 2000


class CopyReview(LabelingInterface):
    """Accept, fix or reject a draft."""

    kind = "copy_verdict"
    title = "Copy review"
    description = "Drafts of product copy that wait for a person's verdict."
    instructions = (
        "<p><b>Accept</b> (1): it goes live as it is. <b>Fix</b> (2): correct the text, your version goes live. "
        "<b>Reject</b> (3): nobody will see it.</p><p>What our checks found is marked in the draft. Tick what is a false "
        "alarm; an accept says of each warning that it is one, or that it is right and why the text may go out. A fix and a rejection name their reasons.</p><p>A health or price claim, or a block that was overruled, "
        "needs a comment, and a second person confirms what goes out.</p><p>Not sure? <b>Ask a senior reviewer</b> (9) and say why in the comment.</p>"
    )
    labels = VERDICTS
    top = "draft_html"

    def config(self) -> str:
        return COPY_REVIEW

    def parse(self, result: Result, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return {verdict, fixed_text, reason_codes, dismissed_findings, confirmed_findings, escalate, comment}.

        A finding that the reviewer did not dismiss counts as confirmed when they did not let the draft out as it is, or
        said that it is right and the text may go out all the same. A verdict may be missing only where a senior is asked for.
        """
        parts = _parts(result, {"verdict", "fixed_text", "reasons", "dismissed", "confirmed", "escalate", "comment"})
        findings = [str(finding["value"]) for finding in payload.get("findings") or []]
        escalate = bool(_picked(parts, "escalate", ("escalate",)))
        verdict = _one(parts, "verdict", VERDICTS, required=not escalate)
        dismissed = _picked(parts, "dismissed", findings)
        confirms = bool(_picked(parts, "confirmed", ("confirmed",))) or verdict in ("fix", "reject")
        return {
            "verdict": verdict,
            "fixed_text": _text(parts, "fixed_text") if verdict == "fix" else "",
            "reason_codes": _picked(parts, "reasons", tuple(REASONS)) if verdict in ("fix", "reject") else [],
            "dismissed_findings": dismissed,
            "confirmed_findings": [f for f in findings if f not in dismissed] if confirms else [],
            "escalate": escalate,
            "comment": _text(parts, "comment")[:LONGEST_COMMENT],
        }

    def label_of(self, answer: Mapping[str, Any]) -> str:
        return str(answer.get("verdict") or "")

    def result_of(self, label: str) -> list[dict[str, Any]]:
        return [choices("verdict", label, to="draft")]

    def fills_suggestions(self) -> bool:
        return policy_for(self.kind).ticks_suggestions

    def beside(self, payload: Mapping[str, Any], predictions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Name the reasons that our checks suggest, below the draft."""
        suggested = [REASONS[code] for code in _suggested(predictions, "reasons") if code in REASONS]
        return _with_note(payload, "draft_html", f"Our checks suggest: {', '.join(suggested)}" if suggested else "")

    def conflict(self, answers: Sequence[Mapping[str, Any]]) -> str:
        """Two people who both would fix a draft have still to agree on the text that goes out."""
        texts = {" ".join(str(answer.get("fixed_text") or "").split()) for answer in answers}
        return "several fixes differ" if len(texts) > 1 else ""

    def texts(self, subjects: Sequence[str]) -> list[str]:
        rows = Candidate.objects.filter(pk__in=keys_of(subjects, Candidate))
        found = {ref(candidate): candidate.text for candidate in rows.only("text")}
        return [found.get(subject, "") for subject in subjects]


class ReviewSentiment(LabelingInterface):
    """Say what a customer felt."""

    kind = "sentiment"
    title = "Review sentiment"
    description = "Customer reviews whose sentiment the model is unsure of."
    instructions = (
        "<p>Judge the <b>words</b>, not the stars: <b>Positive</b> (1), <b>Neutral</b> (2), <b>Negative</b> (3). "
        "Praise and blame that balance out, or neither, is neutral.</p>"
    )
    labels = SENTIMENTS
    top = "review_html"

    def config(self) -> str:
        return REVIEW_SENTIMENT

    def parse(self, result: Result, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return {sentiment, escalate, comment}. A sentiment may be missing only where a senior is asked for."""
        parts = _parts(result, {"sentiment", "escalate", "comment"})
        escalate = bool(_picked(parts, "escalate", ("escalate",)))
        return {
            "sentiment": _one(parts, "sentiment", SENTIMENTS, required=not escalate),
            "escalate": escalate,
            "comment": _text(parts, "comment")[:LONGEST_COMMENT],
        }

    def label_of(self, answer: Mapping[str, Any]) -> str:
        return str(answer.get("sentiment") or "")

    def result_of(self, label: str) -> list[dict[str, Any]]:
        return [choices("sentiment", label, to="review")]

    def fills_suggestions(self) -> bool:
        return policy_for(self.kind).ticks_suggestions

    def beside(self, payload: Mapping[str, Any], predictions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Say what the model thinks, below the review."""
        label, sure = (
            next(iter(_suggested(predictions, "sentiment")), ""),
            predictions[0].get("score") if predictions else None,
        )
        words = f"The model suggests: {label}" + ("" if sure is None else f", sure to {sure:.0%}")
        return _with_note(payload, "review_html", words if label else "")

    def opinions(self, subjects: Sequence[str]) -> dict[str, dict[str, float]]:
        """Those of the sentiment champion."""
        reviews = keys_of(subjects, CustomerReview)
        champion = ModelAlias.objects.filter(role=Role.SENTIMENT, name=ModelAlias.Name.CHAMPION).values("version")
        scores = Sentiment.objects.filter(review_id__in=reviews, model_version__in=champion).select_related("review")
        return {
            ref(score.review): score.probabilities for score in scores if set(score.probabilities) >= set(self.labels)
        }

    def texts(self, subjects: Sequence[str]) -> list[str]:
        rows = CustomerReview.objects.filter(pk__in=keys_of(subjects, CustomerReview))
        found = {ref(row): row.full_text for row in rows.only("title", "text")}
        return [found.get(subject, "") for subject in subjects]


# --- What fills them ---------------------------------------------------------------------------------------------


def copy_review_payload(
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
    console_url: str = "",
) -> dict[str, Any]:
    """Return the task data of a draft.

    `findings` are {id, code, severity, message, start, end} with `start` and `end` in characters of `text` (None: about
    the whole text); `grounding` is 0 to 1.
    """
    return {
        "product_html": markup.product_html(title, brand, category),
        "image": image_url if urlsplit(image_url).scheme in ("http", "https") else markup.NO_PICTURE,
        "facts_html": markup.facts_html(facts, console_url),
        "draft_html": markup.draft_html(text, findings, channel=channel, locale=locale, grounding=grounding),
        "findings": [
            {
                "value": str(finding["id"]),
                "html": markup.finding_html(number, finding),
                **({"hotkey": f"f{number}"} if number <= N_FINDING_KEYS else {}),
            }
            for number, finding in enumerate(findings, 1)
        ],
        "text": text,
    }


def copy_review_predictions(
    *, text: str = "", findings: Sequence[Mapping[str, Any]] = (), model_version: str, score: float | None = None
) -> list[dict[str, Any]]:
    """Return the prediction the reviewer starts from: the reasons our findings suggest. The verdict is theirs alone.

    The text to be fixed needs none: its control starts from the draft in the task's data.
    """
    codes = [str(finding["code"]) for finding in findings]
    suggested = [
        reason for prefix, reason in SUGGESTED_REASONS.items() if any(code.startswith(prefix) for code in codes)
    ]
    return [_prediction([choices("reasons", *suggested, to="draft")], model_version, score)] if suggested else []


def review_sentiment_payload(
    *, title: str = "", text: str, product: str = "", rating: float | None = None, locale: str = ""
) -> dict[str, Any]:
    """Return the task data of a customer review; `rating` in stars, 0 to 5."""
    return {"review_html": markup.review_html(title, text, product, rating, locale), "text": text}


def payload_of_review(review: CustomerReview) -> dict[str, Any]:
    """Return the task data of a stored customer review."""
    return review_sentiment_payload(
        title=review.title, text=review.text, product=review.product.title if review.product else "",
        rating=None if review.rating is None else float(review.rating), locale=review.locale,
    )  # fmt: skip


def review_sentiment_predictions(*, label: str, model_version: str, score: float | None = None) -> list[dict[str, Any]]:
    """Return the model's opinion. Raises `PermanentError` for a label that the interface does not have."""
    if label not in SENTIMENTS:
        raise PermanentError(f"There is no sentiment {label!r}; there are {', '.join(SENTIMENTS)}.")
    return [_prediction([choices("sentiment", label, to="review")], model_version, score)]


def _prediction(result: list[dict[str, Any]], model_version: str, score: float | None) -> dict[str, Any]:
    prediction: dict[str, Any] = {"model_version": model_version, "result": result}
    return prediction if score is None else {**prediction, "score": round(score, 4)}


def _suggested(predictions: Sequence[Mapping[str, Any]], control: str) -> list[str]:
    parts = [part for prediction in predictions[:1] for part in prediction["result"] if part["from_name"] == control]
    return [str(choice) for part in parts for choice in part["value"]["choices"]]


def _with_note(payload: Mapping[str, Any], field: str, note: str) -> dict[str, Any]:
    return {**payload, field: f"{payload.get(field, '')}{markup.suggestion_html(note)}"} if note else dict(payload)


# --- Reading answers -----------------------------------------------------------------------------------------------


def _parts(result: Result, known: set[str]) -> dict[str, Mapping[str, Any]]:
    parts = by_control(result)
    if strangers := sorted(set(parts) - known):
        raise PermanentError(f"The annotation has controls that the interface does not: {', '.join(strangers)}.")
    return parts


def _picked(parts: Mapping[str, Mapping[str, Any]], name: str, known: Sequence[str]) -> list[str]:
    picked = [str(choice) for choice in parts.get(name, {}).get("choices") or []]
    if strangers := [choice for choice in picked if choice not in known]:
        raise PermanentError(
            f"The annotation has labels of {name!r} that the interface does not: {', '.join(strangers)}."
        )
    return list(dict.fromkeys(picked))


def _one(parts: Mapping[str, Mapping[str, Any]], name: str, known: Sequence[str], *, required: bool) -> str:
    picked = _picked(parts, name, known)
    if len(picked) > 1 or (required and not picked):
        raise PermanentError(f"The annotation has {len(picked)} answers to {name!r} instead of one.")
    return picked[0] if picked else ""


def _text(parts: Mapping[str, Mapping[str, Any]], name: str) -> str:
    text = parts.get(name, {}).get("text") or []
    return "\n".join(map(str, [text] if isinstance(text, str) else text)).strip()
