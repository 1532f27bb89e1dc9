"""What happens when: transport, ingest, windows, rules, correlation, state, replay and the command line."""
