"""REPLAY: history through the very same stages as live, without Kafka."""
