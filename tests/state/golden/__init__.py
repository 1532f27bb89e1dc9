"""Golden: snapshots that earlier code wrote, and the story that they were taken from."""
