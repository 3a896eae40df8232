"""The MLflow registry: how a model is packaged, versioned, promoted and loaded."""
