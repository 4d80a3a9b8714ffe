"""Settings of the door in front of Label Studio, part of LABELING."""

from __future__ import annotations

from typing import Any

from ecomsite import env

EMBEDDED = f"http://127.0.0.1:{env.integer('LABEL_STUDIO_PORT', 8080, minimum=1)}"
STANDING_ALONE = f"http://127.0.0.1:{env.integer('LABEL_STUDIO_DOOR_PORT', 8081, minimum=1)}"

DOOR: dict[str, Any] = {
    # Signs what the door stamps, and what it and the desk tell each other.
    "DOOR_KEY": env.text("LABEL_STUDIO_DOOR_KEY"),
    # Where people's browsers reach the door: the embedded Label Studio has it built in, before yours it stands alone.
    "DOOR_URL": env.text("LABEL_STUDIO_DOOR_URL", STANDING_ALONE if env.text("LABEL_STUDIO_URL") else EMBEDDED).rstrip(
        "/"
    ),
    # Says whether a person may reach a task now: (user, task) → the lease, "" where nothing is reserved, or None.
    "MAY_REACH": "moderation.queues.access.lease_on",
}
