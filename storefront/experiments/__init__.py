"""Experiments on approved variants: who is in, what came of it, who decided."""
