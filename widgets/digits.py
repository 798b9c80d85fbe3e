"""Big digits for a clock that must be read from across the room: three lines, three cells a digit."""

from __future__ import annotations

_ROWS = {
    "0": ("┏━┓", "┃ ┃", "┗━┛"),
    "1": ("╺┓ ", " ┃ ", "╺┻╸"),
    "2": ("╺━┓", "┏━┛", "┗━╸"),
    "3": ("╺━┓", " ━┫", "╺━┛"),
    "4": ("╻ ╻", "┗━┫", "  ╹"),
    "5": ("┏━╸", "┗━┓", "╺━┛"),
    "6": ("┏━╸", "┣━┓", "┗━┛"),
    "7": ("╺━┓", "  ┃", "  ╹"),
    "8": ("┏━┓", "┣━┫", "┗━┛"),
    "9": ("┏━┓", "┗━┫", "╺━┛"),
    ":": (" ╻ ", "   ", " ╹ "),
    "-": ("   ", "╺━╸", "   "),
}
_UNKNOWN = ("   ", "   ", "   ")


def big(text: str) -> tuple[str, str, str]:
    """The text in big digits; what is no digit or colon is a blank."""
    rows = [_ROWS.get(char, _UNKNOWN) for char in text]
    top, middle, bottom = (" ".join(row[i] for row in rows) for i in range(3))
    return top, middle, bottom
