"""Imported by the process that warm ones are forked from, and by it alone."""

from __future__ import annotations

from tests import slow_imports

# It ends with the process of the tests, and all that is forked from it with it.
slow_imports.end_with_parent()
slow_imports.load()
