"""Rules that are wider than the locality: evaluated in part in every detect partition, and merged by tenant."""
