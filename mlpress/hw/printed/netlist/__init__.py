"""Mapped netlists: read, linked to their cells, simulated, and as functions for proofs."""
