"""Any table in and out, a chunk at a time."""
