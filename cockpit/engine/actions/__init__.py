"""One file per kind of action."""
