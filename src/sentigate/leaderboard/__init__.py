"""The leaderboard compares all models of params.yaml on one data set."""
