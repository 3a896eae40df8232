"""MLflow runs, one for each training; complete even where the server was away for a while."""
