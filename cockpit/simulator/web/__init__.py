"""The other HTTP services of the simulated world: Prometheus, sinks, registry, the application itself."""
