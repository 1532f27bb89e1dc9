"""AGENTS: each stage's thin shell: decode, call the pure code, send; and the workers that hold them all."""
