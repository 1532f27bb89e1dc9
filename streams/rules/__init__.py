"""Rules: Prometheus's rule files, their expressions over the stream, and the states of their alerts."""
