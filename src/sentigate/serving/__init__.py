"""Answers for many texts."""
