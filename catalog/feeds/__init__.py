"""Readers of product and review feeds: each streams rows, and a bad row never stops the good ones."""
