"""Pages in Label Studio's XML: the style, the card that asks a senior, and a closed list of answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

if TYPE_CHECKING:
    from labeling.question import Choice

SENIOR_KEY = "9"
# More answers than this stand in columns, with a field above that finds one.
MOST_IN_A_ROW = 12
FIND_KEY = "shift+f"

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


# Of pages with many answers alone: a page that changes is set anew in Label Studio.
COLUMNS_STYLE = """<Style>
    .ec-many .lsf-choices { columns: 15em; column-gap: 16px; }
    .ec-many .lsf-choices > * { break-inside: avoid; }
  </Style>"""


def senior_card(to: str, *, placeholder: str = "Comment (optional)") -> str:
    """Return the card in which who is not sure asks a senior, about the object `to`."""
    return f"""
  <View className="ec-card">
    <Choices name="escalate" toName="{to}" choice="multiple" showInline="true">
      <Choice value="Ask a senior reviewer" alias="escalate" hotkey="{SENIOR_KEY}"/>
    </Choices>
    <TextArea name="comment" toName="{to}" rows="2" maxSubmissions="1" editable="true" showSubmitButton="false"
              placeholder={quoteattr(placeholder)}/>
  </View>"""


def choice_page(
    name: str,
    choices: Sequence[Choice],
    *,
    heading: str,
    to: str,
    shown: str,
    is_multiple: bool = False,
    required_message: str = "",
) -> str:
    """Return the page that asks for one of `choices`, or several, about the object `to`, one of the tags in `shown`.

    More than MOST_IN_A_ROW stand in columns below a field: what is typed there hides the others, and Enter picks the
    first that is left.
    """
    required = f' required="true" requiredMessage={quoteattr(required_message or heading)}'
    keyed = "".join(
        f"\n      <Choice value={quoteattr(one.title)} alias={quoteattr(one.value)}"
        + (f" hotkey={quoteattr(one.hotkey)}/>" if one.hotkey else "/>")
        for one in choices
    )
    choice = "multiple" if is_multiple else "single-radio"
    is_long = len(choices) > MOST_IN_A_ROW
    card, inline = ("ec-card ec-many", "false") if is_long else ("ec-card", "true")
    find = (
        f"""
    <Filter name="{name}_find" toName="{name}" minlength="0" hotkey="{FIND_KEY}"
            placeholder="Type a part of an answer; Enter picks the first ({FIND_KEY})"/>"""
        if is_long
        else ""
    )
    return f"""
<View className="ec-page">
  {STYLE}{COLUMNS_STYLE if is_long else ""}
  <View className="ec-card">
    {shown}
  </View>
  <View className="{card}">
    <Header value={quoteattr(heading)} size="5"/>{find}
    <Choices name="{name}" toName="{to}" choice="{choice}" showInline="{inline}"{required}>{keyed}
    </Choices>
  </View>{senior_card(to)}
</View>
"""
