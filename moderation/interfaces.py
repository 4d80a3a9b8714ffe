"""How the desk's work looks in Label Studio, what fills it, and how answers are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from core.exceptions import PermanentError
from labeling.label_config import LabelingInterface, Result, by_control, choices
from moderation import markup

REASONS = {
    "unsupported_claim": "Unsupported claim",
    "wrong_fact": "Wrong fact",
    "tone": "Tone",
    "grammar": "Grammar",
    "too_long": "Too long",
    "off_brand": "Off brand",
    "legal_risk": "Legal risk",
    "other": "Other",
}
# How a finding's code begins → the reason that goes with it.
SUGGESTED_REASONS = {"unsupported_": "unsupported_claim", "too_long": "too_long"}
VERDICTS = ("accept", "fix", "reject")
SENTIMENTS = ("positive", "negative", "neutral")
LONGEST_COMMENT = 2000

STYLE = """
<Style>
  .ec-page { max-width: 1180px; margin: 0 auto; }
  .ec-columns { display: flex; flex-wrap: wrap; gap: 24px; align-items: flex-start; }
  .ec-about { flex: 1 1 300px; max-width: 420px; }
  .ec-work { flex: 2 1 460px; }
  .ec-about img { max-height: 240px; object-fit: contain; border-radius: 8px; }
  .ec-card { border: 1px solid rgba(128, 128, 128, .35); border-radius: 10px; padding: 12px 16px; margin-bottom: 14px; }
  .ec-card textarea { font-size: 16px; line-height: 1.5; }
  .ec-about .lsf-toolbar { display: none; }
  .lsf-sidepanels__wrapper_align_right { display: none; }
  .lsf-sidepanels { padding-right: 0 !important; }
</Style>
"""

COPY_REVIEW = f"""
<View className="ec-page">
  {STYLE}
  <View className="ec-columns">
    <View className="ec-about">
      <HyperText name="product" value="$product_html" inline="true"/>
      <Image name="picture" value="$image" maxWidth="360px" zoom="false" zoomControl="false" rotateControl="false"/>
      <HyperText name="facts" value="$facts_html" inline="true"/>
    </View>
    <View className="ec-work">
      <View className="ec-card">
        <HyperText name="draft" value="$draft_html" inline="true" selectionEnabled="false"/>
        <Choices name="dismissed" toName="draft" value="$findings" choice="multiple" layout="vertical"/>
      </View>
      <View className="ec-card">
        <Header value="Your verdict" size="5"/>
        <Choices name="verdict" toName="draft" choice="single-radio" showInline="true" required="true"
                 requiredMessage="Accept, fix or reject?">
          <Choice value="Accept" alias="accept" hotkey="1" hint="Goes live as it is"/>
          <Choice value="Fix" alias="fix" hotkey="2" hint="Goes live as you correct it"/>
          <Choice value="Reject" alias="reject" hotkey="3" hint="Never shown to a shopper"/>
        </Choices>
        <View visibleWhen="choice-selected" whenTagName="verdict" whenChoiceValue="fix">
          <Header value="Your text" size="5"/>
          <TextArea name="fixed_text" toName="draft" value="$text" rows="6" maxSubmissions="1" editable="true"
                    showSubmitButton="false" required="true" requiredMessage="Write the text that shall go out."/>
        </View>
        <View visibleWhen="choice-selected" whenTagName="verdict" whenChoiceValue="fix,reject">
          <Header value="Why? (all that apply)" size="5"/>
          <Choices name="reasons" toName="draft" choice="multiple" showInline="true">
            {"".join(f'<Choice value="{label}" alias="{code}"/>' for code, label in REASONS.items())}
          </Choices>
        </View>
      </View>
      <View className="ec-card">
        <Choices name="escalate" toName="draft" choice="multiple" showInline="true">
          <Choice value="Ask a senior reviewer" alias="escalate" hotkey="9"/>
        </Choices>
        <TextArea name="comment" toName="draft" rows="2" maxSubmissions="1" editable="true" showSubmitButton="false"
                  placeholder="Comment (optional)"/>
      </View>
    </View>
  </View>
</View>
"""

REVIEW_SENTIMENT = f"""
<View className="ec-page">
  {STYLE}
  <View className="ec-card">
    <HyperText name="review" value="$review_html" inline="true" selectionEnabled="false"/>
  </View>
  <View className="ec-card">
    <Header value="What does the customer feel?" size="5"/>
    <Choices name="sentiment" toName="review" choice="single-radio" showInline="true" required="true"
             requiredMessage="Positive, neutral or negative?">
      <Choice value="Positive" alias="positive" hotkey="1"/>
      <Choice value="Neutral" alias="neutral" hotkey="2"/>
      <Choice value="Negative" alias="negative" hotkey="3"/>
    </Choices>
  </View>
  <View className="ec-card">
    <Choices name="escalate" toName="review" choice="multiple" showInline="true">
      <Choice value="Ask a senior reviewer" alias="escalate" hotkey="9"/>
    </Choices>
    <TextArea name="comment" toName="review" rows="2" maxSubmissions="1" editable="true" showSubmitButton="false"
              placeholder="Comment (optional)"/>
  </View>
</View>
"""


class CopyReview(LabelingInterface):
    """Accept, fix or reject a draft."""

    kind = "copy_review"
    title = "Copy review"
    description = "Drafts of product copy that wait for a person's verdict."
    instructions = (
        "<p><b>Accept</b> (1): it goes live as it is. <b>Fix</b> (2): correct the text, your version goes live. "
        "<b>Reject</b> (3): nobody will see it.</p><p>What our checks found is marked in the draft. Tick what is a false "
        "alarm.</p><p>Not sure? <b>Ask a senior reviewer</b> (9) and say why in the comment.</p>"
    )

    def config(self) -> str:
        return COPY_REVIEW

    def parse(self, result: Result, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return {verdict, fixed_text, reason_codes, dismissed_findings, confirmed_findings, escalate, comment}.

        A finding counts as confirmed when the reviewer did not let the draft out as it is and did not dismiss it.
        A verdict may be missing only where a senior is asked for.
        """
        parts = _parts(result, {"verdict", "fixed_text", "reasons", "dismissed", "escalate", "comment"})
        findings = [str(finding["value"]) for finding in payload.get("findings") or []]
        escalate = bool(_picked(parts, "escalate", ("escalate",)))
        verdict = _one(parts, "verdict", VERDICTS, required=not escalate)
        dismissed = _picked(parts, "dismissed", findings)
        return {
            "verdict": verdict,
            "fixed_text": _text(parts, "fixed_text") if verdict == "fix" else "",
            "reason_codes": _picked(parts, "reasons", tuple(REASONS)) if verdict in ("fix", "reject") else [],
            "dismissed_findings": dismissed,
            "confirmed_findings": [f for f in findings if f not in dismissed] if verdict in ("fix", "reject") else [],
            "escalate": escalate,
            "comment": _text(parts, "comment")[:LONGEST_COMMENT],
        }


class ReviewSentiment(LabelingInterface):
    """Say what a customer felt."""

    kind = "review_sentiment"
    title = "Review sentiment"
    description = "Customer reviews whose sentiment the model is unsure of."
    instructions = (
        "<p>Judge the <b>words</b>, not the stars: <b>Positive</b> (1), <b>Neutral</b> (2), <b>Negative</b> (3). "
        "Praise and blame that balance out, or neither, is neutral.</p>"
    )

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
            {"value": str(finding["id"]), "html": markup.finding_html(number, finding)}
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


def review_sentiment_predictions(*, label: str, model_version: str, score: float | None = None) -> list[dict[str, Any]]:
    """Return the model's opinion. Raises `PermanentError` for a label that the interface does not have."""
    if label not in SENTIMENTS:
        raise PermanentError(f"There is no sentiment {label!r}; there are {', '.join(SENTIMENTS)}.")
    return [_prediction([choices("sentiment", label, to="review")], model_version, score)]


def _prediction(result: list[dict[str, Any]], model_version: str, score: float | None) -> dict[str, Any]:
    prediction: dict[str, Any] = {"model_version": model_version, "result": result}
    return prediction if score is None else {**prediction, "score": round(score, 4)}


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
