"""What a playbook may do: one HTTP call, or one record on a topic."""

from sinks.remediate.actions.http import HttpCall
from sinks.remediate.actions.kafka import KafkaSend

Action = HttpCall | KafkaSend

__all__ = ["Action", "HttpCall", "KafkaSend"]
