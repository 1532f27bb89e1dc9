"""Bytes to columns, one file a format. A decoder never raises: what it cannot read it refuses with a reason."""
