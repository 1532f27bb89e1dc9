"""Receivers, one file each, and the registry that finds them by type."""

from sinks.notify.receivers.base import Kind, Receiver
from sinks.notify.receivers.registry import (
    close_receivers,
    find_kind,
    kinds,
    open_receivers,
)

__all__ = ["Kind", "Receiver", "close_receivers", "find_kind", "kinds", "open_receivers"]
