"""What a command of the screen is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding

if TYPE_CHECKING:
    from cockpit.tui.screens.main import MainScreen


class ScreenCommand:
    """One thing a person can do; the docstring's first line is its help.

    `keys` are Textual key names, the first is shown as `shown` (or itself). `footer` orders the footer: lower first,
    0 keeps it out; a `situational` command is there only while it would work. `changes` says that the command asks
    the engine for something; `anywhere` that its key works on every screen.
    """

    keys: ClassVar[str]
    shown: ClassVar[str] = ""
    label: ClassVar[str]
    footer: ClassVar[int] = 0
    changes: ClassVar[bool] = False
    situational: ClassVar[bool] = False
    anywhere: ClassVar[bool] = False

    @classmethod
    def name(cls) -> str:
        """The command's id."""
        return cls.__name__

    @classmethod
    def key(cls) -> str:
        """The key as people read it."""
        return cls.shown or cls.keys.split(",")[0]

    @classmethod
    def help(cls) -> str:
        """One line for the help screen."""
        return (cls.__doc__ or "").strip().split("\n")[0]

    @classmethod
    def binding(cls) -> Binding:
        """The key binding."""
        return Binding(cls.keys, f"command('{cls.name()}')", cls.label, show=False)

    @classmethod
    def title(cls, screen: MainScreen) -> str:
        """The label at this moment."""
        return cls.label

    @classmethod
    def refused(cls, screen: MainScreen) -> str:
        """Why the command cannot be given now, or nothing."""
        return ""

    @classmethod
    def run(cls, screen: MainScreen) -> None:
        """Do it."""
        raise NotImplementedError
