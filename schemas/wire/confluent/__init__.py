"""Records in Confluent's framing, whose schemas are in a registry."""
