"""Sent upward by the ledger, inside the transaction: who holds more of a person erases it, or nothing is erased."""

from django.dispatch import Signal

# Arguments: user (User). A receiver returns in words what it erased, or an empty text; what it raises undoes all of it.
person_erased = Signal()
