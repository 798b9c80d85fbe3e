"""The full-screen front end: an app over a line to the engine; it holds no truth."""
