"""The Kubernetes API: raw requests, our own readers, JSON Patches that test what they replace."""
