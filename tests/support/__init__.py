"""Helpers that several test files share, by subject."""
