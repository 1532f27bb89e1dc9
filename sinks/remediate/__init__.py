"""What is done about it: playbooks, the guard that holds them back, and the actions."""

from sinks.remediate.actions import Action, HttpCall, KafkaSend
from sinks.remediate.actor import Actor
from sinks.remediate.playbook import Playbook, find_problems
from sinks.remediate.stage import Ended, RemediateStage, Remedies

__all__ = [
    "Action",
    "Actor",
    "Ended",
    "HttpCall",
    "KafkaSend",
    "Playbook",
    "RemediateStage",
    "Remedies",
    "find_problems",
]
