"""How good an answer is, beside a linear model and beside chance."""
