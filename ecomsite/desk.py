"""Settings of the desk: how much is drafted, how queues of human work are run unless somebody says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ecomsite import env

DIALECTS = ("american", "british", "australian", "canadian", "indian")


@dataclass(frozen=True)
class Moderation:
    """The desk."""

    drafts_per_request: int
    # So many requests of the backlog are taken at once.
    generation_batch: int
    # Rules of a queue of human work that nobody has set any for (moderation/queues/rules.py).
    queue: Mapping[str, int]
    # So many customer reviews of each day, by lot from all of them, are judged by people; 0: none
    # (moderation/queues/daily_lot.py).
    daily_lot: int
    # Whether it is said which words moved a suggestion.
    explains: bool
    # Whether drafts are set as the house sets type, and how it quotes in English (moderation/drafting/tidying.py).
    tidies: bool
    quotes: str
    # Whether the spelling and grammar of English drafts is looked at, and in which English
    # (moderation/drafting/proofreading.py).
    proofreads: bool
    dialect: str


MODERATION = Moderation(
    drafts_per_request=env.integer("DRAFTS_PER_REQUEST", 3, minimum=1),
    generation_batch=env.integer("GENERATION_BATCH", 12, minimum=1),
    queue={
        "reservation_minutes": 15,
        "sla_minutes": 24 * 60,
        # With this nothing that is opened 23 hours later overtakes, whatever it is about.
        "ageing_minutes": 4 * 60,
        "max_waiting": env.integer("REVIEW_MAX_WAITING", 5000),
    },
    daily_lot=env.integer("REVIEW_DAILY_LOT", 20),
    explains=env.boolean("EXPLAIN_SUGGESTIONS", default=True),
    tidies=env.boolean("TIDY_DRAFTS", default=True),
    quotes=env.one_of("TIDY_QUOTES", "straight", known=("straight", "curly")),
    proofreads=env.boolean("PROOFREAD_DRAFTS", default=True),
    dialect=env.one_of("PROOFREAD_DIALECT", "american", known=DIALECTS),
)
