"""Describe a table that nobody has described yet, and propose its entry."""
