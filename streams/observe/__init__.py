"""OBSERVE: figures about ourselves."""
