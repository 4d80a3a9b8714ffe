"""The questions an auditor asks: each is a page of the console and a number of `manage.py auditor`.

After the questions that auditors of e-commerce platforms put; docs/compliance.md says what each answer proves and what
not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audit import ledger
from core.actors import SystemActor, require_permission
from core.exceptions import PermanentError
from monitoring.auditor import learning, people, record, reviews, texts
from monitoring.auditor.asking import Answer, Asked, Question

if TYPE_CHECKING:
    from django.contrib.auth.models import User

TIME: Final = ("since", "until")
QUESTIONS: Final = (
    Question(
        1, "What did shoppers see of a product on a date, and is it unaltered?", texts.shown, ("sku", "at"), ("sku",)
    ),
    Question(
        2,
        "Which model, prompt, parameters, seed and facts made it? Can it be made again?",
        texts.origin,
        ("sku", "at"),
        ("sku",),
    ),
    Question(
        3,
        "Who let it out, under which policy, how long did they look, what did they change?",
        texts.decided,
        ("sku", "at"),
        ("sku",),
    ),
    Question(4, "Did people see what a model suggested before they judged?", people.suggestions, ("person", *TIME)),
    Question(
        5,
        "What was escalated, confirmed or appealed against, by another person? Who could have overruled?",
        people.escalations,
        ("sku", *TIME),
    ),
    Question(
        6,
        "What did a person let out unchanged in less than so many seconds?",
        people.quick,
        ("seconds", "person", *TIME),
        ("seconds",),
    ),
    Question(
        7,
        "Which live texts does a later policy find fault with, and what was withdrawn, when?",
        texts.failing,
        ("sku", *TIME),
    ),
    Question(
        8,
        "Which absolute, health, price or origin claims are live, with which evidence?",
        texts.claims,
        ("code", "sku"),
    ),
    Question(9, "Is the AI mark there, at publication, after an edit, on the page?", texts.marks, ("sku",)),
    Question(10, "What was a model trained on, and what was left out?", learning.training_set, ("model",)),
    Question(
        11,
        "Who let a model serve, on what evidence? When was it last rolled back?",
        learning.promotions,
        ("model", *TIME),
    ),
    Question(12, "How well do people agree, and how often are they right?", people.agreement, ("person",)),
    Question(13, "What share had human eyes, and how was the rest sampled?", people.coverage, TIME),
    Question(14, "Is the record complete? When was it verified, by whom, against what?", record.completeness, TIME),
    Question(15, "Who was given rights or lost them, and who was refused?", people.access, ("person", *TIME)),
    Question(16, "How is personal data erased without breaking the chain?", record.erasures, TIME),
    Question(17, "What was in trouble, who took it on, and how fast?", record.alerts, TIME),
    Question(18, "Which licences do the models have?", learning.licences, ("model",)),
    Question(19, "Which exports were made? The same question gives the same hash.", record.exports, TIME),
    Question(20, "What was done past the rules, or to them?", record.past_the_rules, ("person", *TIME)),
    Question(
        21,
        "Which customer reviews were hidden, by whom and why, and which were shown again?",
        reviews.hidden,
        ("sku", *TIME),
    ),
)


def require_auditor(actor: User | SystemActor) -> None:
    """Raise `PermissionDenied` unless `actor` may ask: audit.verify_ledger and moderation.audit_candidate."""
    for permission in ("audit.verify_ledger", "moderation.audit_candidate"):
        require_permission(actor, permission)


def question(number: int) -> Question:
    """Return the question with that number. Raises `PermanentError` when there is none."""
    found = next((one for one in QUESTIONS if one.number == number), None)
    if found is None:
        raise PermanentError(f"There is no question {number}.", hint="`manage.py auditor` lists them.")
    return found


def ask(number: int, asked: Asked, *, actor: User | SystemActor) -> Answer:
    """Answer question `number`. For auditors (`require_auditor`); that somebody asked is recorded.

    Raises `PermanentError` when something the question needs was not given, or nothing is there to answer with.
    """
    require_auditor(actor)
    found = question(number)
    if missing := [name for name in found.needs if getattr(asked, name) in ("", None)]:
        raise PermanentError(f"The question needs: {', '.join(missing)}.", hint=f"Give --{missing[0]}.")
    answer = found.answer(asked)
    ledger.append("monitoring.auditor.asked", subject=f"question:{number}", actor=actor, payload={"sku": asked.sku})
    return answer
