"""Producers of real input: services' own figures, this machine, files of the past, and the simulated shop."""

from streams.produce.client import Producer
from streams.produce.collector import ProducerCollector

__all__ = ["Producer", "ProducerCollector"]
