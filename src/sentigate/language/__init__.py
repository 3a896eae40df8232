"""Language model from which a classifier may start (Dai and Le 2015), and n-gram baselines."""
