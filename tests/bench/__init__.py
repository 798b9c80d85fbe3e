"""Measured figures, each beside its reference in the same run."""
