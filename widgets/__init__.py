"""Textual widgets of the cockpit: they know cockpit.model and Textual, nothing else."""
