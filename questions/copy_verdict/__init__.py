"""Accept, fix or reject a draft."""
