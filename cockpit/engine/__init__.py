"""The process that runs a deployment: pure decisions, and the runner that carries them out through ports."""
