"""INGEST: records of any producer to batches of samples, keyed by locality."""
