"""A small invented shop, to see the desk at work."""
