"""Training of a network, and its fusion with the linear model."""
