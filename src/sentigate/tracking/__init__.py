"""MLflow runs, one for each training, complete even if the server did not always answer."""
