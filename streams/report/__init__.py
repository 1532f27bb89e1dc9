"""REPORT: what became of one incident, and how a while of them went, for people to read afterwards."""
