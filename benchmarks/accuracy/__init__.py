"""Accuracy on public data: how often the true cause of an incident is among the first named."""
