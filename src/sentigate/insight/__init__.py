"""Explain answers, and measure how far gradients reach back in a text."""
