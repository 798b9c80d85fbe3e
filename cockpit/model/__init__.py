"""Frozen values of the product and the pure fold of a run; no I/O."""
