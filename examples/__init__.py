"""Small things that run; each is used by a test."""
