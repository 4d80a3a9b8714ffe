"""Sent upward by labelling, on commit. A periodic sweep stands behind each receiver: a lost signal loses nothing."""

from django.dispatch import Signal

# Arguments: consensus_id (int), reference (str). Sent after the transaction that settled the task committed.
consensus_reached = Signal()
