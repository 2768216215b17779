"""Whole estates: every rule for every thing at once, over the columns of an estate file."""
