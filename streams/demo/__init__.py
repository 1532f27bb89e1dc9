"""DEMO: the simulated shop through the real workers, and a verdict on what came out."""
