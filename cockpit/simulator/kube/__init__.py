"""The Kubernetes API of the simulated world, over HTTP."""
