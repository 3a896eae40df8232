"""MLflow runs: one for each training, live, and complete even where the server was away."""
