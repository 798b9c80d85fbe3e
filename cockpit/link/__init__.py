"""The socket protocol between the engine and its front ends."""
