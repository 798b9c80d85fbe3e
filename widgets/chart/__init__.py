"""Charts of measurements in cells, made by pure functions."""
