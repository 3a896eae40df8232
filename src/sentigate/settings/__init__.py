"""params.yaml as typed objects."""
