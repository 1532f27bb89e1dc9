"""Producers of real input: services' own figures, this machine, files of the past, and the simulated shop.

The producer for services is imported when it is first asked for: a verb that reads files needs no Kafka client.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.produce.client import Producer
    from streams.produce.collector import ProducerCollector

__all__ = ["Producer", "ProducerCollector"]

_PLACES = {"Producer": "client", "ProducerCollector": "collector"}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
