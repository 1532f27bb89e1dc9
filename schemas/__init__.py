"""What flows: records, label sets, topics, configuration and wire formats. No I/O, no clock."""
