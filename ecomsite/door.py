"""Settings of Label Studio, and of the door in front of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ecomsite import env
from ecomsite.env import VAR_DIR

EMBEDDED = f"http://127.0.0.1:{env.integer('LABEL_STUDIO_PORT', 8080, minimum=1)}"
STANDING_ALONE = f"http://127.0.0.1:{env.integer('LABEL_STUDIO_DOOR_PORT', 8081, minimum=1)}"


@dataclass(frozen=True)
class Labeling:
    """Where Label Studio is, and what it and the desk know each other by."""

    url: str
    token: str = field(repr=False)
    # Where Label Studio reaches us with its webhooks.
    webhook_url: str
    webhook_secret: str = field(repr=False)
    # Signs what the door stamps, and what it and the desk tell each other.
    door_key: str = field(repr=False)
    # Where people's browsers reach the door: the embedded Label Studio has it built in, before yours it stands alone.
    door_url: str
    # Says whether a person may reach a task now: (user, task) → the lease, "" where nothing is reserved, or None.
    may_reach: str
    # The accounts that the embedded one makes; None: it is yours.
    accounts_file: Path | None


def labeling_of(site_url: str) -> Labeling:
    """Return the settings of Label Studio for a desk that is reached at `site_url`."""
    is_yours = bool(env.text("LABEL_STUDIO_URL"))
    return Labeling(
        url=env.text("LABEL_STUDIO_URL", EMBEDDED).rstrip("/"),
        token=env.text("LABEL_STUDIO_TOKEN"),
        webhook_url=env.text("LABEL_STUDIO_WEBHOOK_URL", site_url).rstrip("/"),
        webhook_secret=env.text("LABEL_STUDIO_WEBHOOK_SECRET"),
        door_key=env.text("LABEL_STUDIO_DOOR_KEY"),
        door_url=env.text("LABEL_STUDIO_DOOR_URL", STANDING_ALONE if is_yours else EMBEDDED).rstrip("/"),
        may_reach="moderation.queues.access.lease_on",
        accounts_file=None if is_yours else VAR_DIR / "label-studio" / "accounts.json",
    )
