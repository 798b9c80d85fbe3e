"""The simulated world: its objects, controllers, traffic and measurements, all functions of run time."""
