"""Settings of the judges of claims: from when what they say puts a draft further forward (docs/judges.md)."""

from __future__ import annotations

from dataclasses import dataclass

from ecomsite import env


@dataclass(frozen=True)
class Judge:
    """Judges of claims in drafts."""

    # So sure, 0 to 1, the judge is of a claim before it counts.
    attention_from: float
    # A second judge behind an endpoint (the role `judge`; none is registered at first): so often it is asked a day, so
    # many seconds a few drafts are waited for.
    budget_per_day: int
    timeout_s: int
    # From how many findings that people judged its agreement with them is known, and how high it has to be, 0 to 1,
    # before what it says counts.
    fewest_answers: int
    least_agreement: float


JUDGE = Judge(
    attention_from=env.integer("JUDGE_ATTENTION_PERCENT", 70, minimum=1) / 100,
    budget_per_day=env.integer("JUDGE_BUDGET_PER_DAY", 500),
    timeout_s=env.integer("JUDGE_TIMEOUT_S", 10, minimum=1),
    fewest_answers=env.integer("JUDGE_FEWEST_ANSWERS", 50, minimum=20),
    least_agreement=env.integer("JUDGE_LEAST_AGREEMENT_PERCENT", 80, minimum=51) / 100,
)
