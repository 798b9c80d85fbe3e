"""What an action's world does with printed lines when nothing should be printed."""

from __future__ import annotations

from cockpit.model.outside import Printed


async def nothing_printed(printed: Printed) -> None:
    raise AssertionError(printed)
