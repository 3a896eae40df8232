"""Evaluation of a model's answers, also against a linear model and against chance."""
