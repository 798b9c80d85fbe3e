"""The terminal driver, able to lend its terminal to another program."""

from __future__ import annotations

from textual.drivers.linux_driver import LinuxDriver


class LendingDriver(LinuxDriver):
    """Drops what the screen would paint while the terminal is lent.

    Textual 8.2 ends its writer at `App.suspend()` and keeps putting paint into the writer's queue of 30, which then
    blocks the event loop for ever (terok-ai/terok#1187): line to the engine, port-forwards, clock and all.
    """

    _lent = False

    def suspend_application_mode(self) -> None:
        """Give the terminal away."""
        super().suspend_application_mode()
        self._lent = True

    def resume_application_mode(self) -> None:
        """Take it back."""
        self._lent = False
        super().resume_application_mode()

    def write(self, data: str) -> None:
        """Write while the terminal is ours."""
        if not self._lent:
            super().write(data)
