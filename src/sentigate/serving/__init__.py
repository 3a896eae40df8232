"""Predictions for many texts: of a file, or over HTTP."""
