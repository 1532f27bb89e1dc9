"""DETECT: samples in the order of event time through windows, rules and detectors to alert transitions."""
