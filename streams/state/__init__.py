"""State: the form of a snapshot, where its parts lie, and the checkpoints that tie it to the input offset."""
