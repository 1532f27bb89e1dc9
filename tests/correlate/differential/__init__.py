"""Our routes held against Alertmanager: its own packages on a clock of their own, and a real one."""
