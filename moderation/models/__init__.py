"""Tables of the desk. Import the submodule that holds the one you need; this file is for Django's model loading."""

from moderation.models import (  # noqa: F401  (Django finds them here)
    appeals,
    candidates,
    judging,
    label_jobs,
    policies,
    predictions,
    queues,
    retro_scans,
    reviewers,
    reviews,
    rule_proposals,
    signatures,
    traffic,
)
