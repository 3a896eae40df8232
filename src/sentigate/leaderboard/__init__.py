"""The leaderboard: every model of params.yaml on one data set, and how they compare."""
