"""What a topic or a file holds: its format, series, labels, times, faults, and a first rule for it."""
