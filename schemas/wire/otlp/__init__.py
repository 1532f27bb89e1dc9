"""OTLP: metrics, logs and spans of OpenTelemetry, in protobuf and in JSON."""
