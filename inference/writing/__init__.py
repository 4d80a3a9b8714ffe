"""A writer that keeps to the facts: limits on decoding, the plan of what is told, the finishing of a text."""
