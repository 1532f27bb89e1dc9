"""A small OpenTelemetry Collector, built from Go's modules, for tests of what it writes to Kafka."""
