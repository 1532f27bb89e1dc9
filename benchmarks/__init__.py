"""Benchmarks: how fast Tocsin is, and against what, measured in one run on one machine."""
