"""Judges of claims: what they say of a draft adds attention to it, and never publishes, clears or blocks one."""
