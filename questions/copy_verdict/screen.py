"""The page on which a draft is judged, as Label Studio's XML."""

from __future__ import annotations

from labeling.screens import SENIOR_KEY, STYLE
from moderation.reason_codes import REASONS

# In the order of REASONS. Fixed, or Label Studio gives out keys of its own, other ones in each task.
REASON_KEYS = "qwertyui"
CONFIRM_KEY = "0"
# A verdict of the page alone: it is a fix, whose text and reason our findings bring.
AS_PROPOSED = "fix_as_proposed"
# Finding 1 is a false alarm: F1. Label Studio knows F1 to F12 and some more that no keyboard has.
N_FINDING_KEYS = 12


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
          <Choice value="Fix as proposed" alias="{AS_PROPOSED}" hotkey="4" hint="Goes live as proposed above"/>
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
