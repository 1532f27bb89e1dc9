"""Peers: the same job as others would write it, one file each."""
