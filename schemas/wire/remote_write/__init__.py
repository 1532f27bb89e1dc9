"""Prometheus remote write, 1.0 and 2.0: the body of a request as the value of a record."""
