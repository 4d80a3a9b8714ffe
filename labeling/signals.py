"""Sent upward by labelling, on commit. A periodic sweep stands behind each receiver: a lost signal loses nothing."""

from django.dispatch import Signal

# Arguments: consensus_id (int), reference (str). Sent after the transaction that settled the task committed.
consensus_reached = Signal()

# Arguments: reason (str, one word), user_id (int or None), n (int). Somebody was refused at the door in front of Label
# Studio.
refused_at_the_door = Signal()
