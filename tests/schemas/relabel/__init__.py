"""Relabelling held against Prometheus's own code: cases, and its answers as a golden file."""
