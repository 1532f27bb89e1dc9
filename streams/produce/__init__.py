"""Producers of real input: this machine, files of the past, and the simulated shop."""
