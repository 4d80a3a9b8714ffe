"""The labelling interfaces as Label Studio's XML, and the reasons a reviewer can give."""

from __future__ import annotations

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

# In the order of REASONS. Fixed, or Label Studio gives out keys of its own, other ones in each task.
REASON_KEYS = "qwertyui"
SENIOR_KEY, CONFIRM_KEY = "9", "0"
# Finding 1 is a false alarm: F1. Label Studio knows F1 to F12 and some more that no keyboard has.
N_FINDING_KEYS = 12

STYLE = """
<Style>
  .ec-page { max-width: 1180px; margin: 0 auto; }
  .ec-columns { display: flex; flex-wrap: wrap; gap: 24px; align-items: flex-start; }
  .ec-about { flex: 1 1 min(300px, 100%); max-width: 420px; min-width: 0; }
  .ec-work { flex: 2 1 min(460px, 100%); min-width: 0; }
  .ec-about img { max-height: 240px; object-fit: contain; border-radius: 8px; }
  .ec-card { border: 1px solid rgba(128, 128, 128, .35); border-radius: 10px; padding: 12px 16px; margin-bottom: 14px; }
  .ec-card textarea { font-size: 16px; line-height: 1.5; }
  .ec-page:not(:has(.ec-findings input)) .ec-confirm { display: none; }
  .ec-about .lsf-toolbar { display: none; }
  .lsf-sidepanels__wrapper_align_right { display: none; }
  .lsf-sidepanels { padding-right: 0 !important; }
</Style>
"""


def _reasons() -> str:
    keyed = zip(REASON_KEYS, REASONS.items(), strict=True)
    return "".join(f'<Choice value="{label}" alias="{code}" hotkey="{key}"/>' for key, (code, label) in keyed)


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
        <View className="ec-findings">
          <Choices name="dismissed" toName="draft" value="$findings" choice="multiple" layout="vertical"/>
        </View>
      </View>
      <View className="ec-card">
        <Header value="Your verdict" size="5"/>
        <Choices name="verdict" toName="draft" choice="single-radio" showInline="true" required="true"
                 requiredMessage="Accept, fix or reject?">
          <Choice value="Accept" alias="accept" hotkey="1" hint="Goes live as it is"/>
          <Choice value="Fix" alias="fix" hotkey="2" hint="Goes live as you correct it"/>
          <Choice value="Reject" alias="reject" hotkey="3" hint="Never shown to a shopper"/>
        </Choices>
        <View className="ec-confirm" visibleWhen="choice-selected" whenTagName="verdict" whenChoiceValue="accept">
          <Choices name="confirmed" toName="draft" choice="multiple" showInline="true">
            <Choice value="The other warnings are right, and it may go out all the same (say why in the comment)"
                    alias="confirmed" hotkey="{CONFIRM_KEY}"/>
          </Choices>
        </View>
        <View visibleWhen="choice-selected" whenTagName="verdict" whenChoiceValue="fix">
          <Header value="Your text" size="5"/>
          <TextArea name="fixed_text" toName="draft" value="$text" rows="6" maxSubmissions="1" editable="true"
                    showSubmitButton="false" required="true" requiredMessage="Write the text that shall go out."/>
        </View>
        <View visibleWhen="choice-selected" whenTagName="verdict" whenChoiceValue="fix,reject">
          <Header value="Why? (all that apply; “Other” and high severity need a comment)" size="5"/>
          <Choices name="reasons" toName="draft" choice="multiple" showInline="true" required="true"
                   requiredMessage="Tick at least one reason.">
            {_reasons()}
          </Choices>
        </View>
      </View>
      <View className="ec-card">
        <Choices name="escalate" toName="draft" choice="multiple" showInline="true">
          <Choice value="Ask a senior reviewer" alias="escalate" hotkey="{SENIOR_KEY}"/>
        </Choices>
        <TextArea name="comment" toName="draft" rows="2" maxSubmissions="1" editable="true" showSubmitButton="false"
                  placeholder="Comment (needed for “Other”, for high severity, and to ask a senior)"/>
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
      <Choice value="Ask a senior reviewer" alias="escalate" hotkey="{SENIOR_KEY}"/>
    </Choices>
    <TextArea name="comment" toName="review" rows="2" maxSubmissions="1" editable="true" showSubmitButton="false"
              placeholder="Comment (optional)"/>
  </View>
</View>
"""
