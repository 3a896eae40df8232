"""Read and write tables of any supported format, chunk by chunk."""
