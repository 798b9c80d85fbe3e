"""What every part of the document shares."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

# Six digits keep the sum far below what a timedelta can hold.
_PARTS = re.compile(r"(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?\Z")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\Z")


class Document(BaseModel):
    """A frozen part of the document that knows all its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)


def parse_duration(value: Any) -> timedelta:
    """`90s`, `30m`, `1h30m` as a timedelta; raises ValueError for anything else."""
    if isinstance(value, timedelta):
        return value
    match = _PARTS.match(str(value)) if isinstance(value, str) and value else None
    if match is None:
        raise ValueError("write a duration such as 90s, 30m or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def format_duration(value: timedelta) -> str:
    """The shortest text that `parse_duration` reads back, to the second."""
    minutes, seconds = divmod(int(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{amount}{unit}" for amount, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if amount]
    return "".join(parts) or "0s"


def parse_clock(value: Any) -> time:
    """`08:30` as a time of day; raises ValueError for anything else."""
    if isinstance(value, time):
        return value
    match = _CLOCK.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("write a time of day such as 08:30")
    return time(int(match[1]), int(match[2]))


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(
        {"type": "string", "pattern": r"^(?!$)(\d{1,6}h)?(\d{1,6}m)?(\d{1,6}s)?$", "examples": ["30s", "5m", "1h30m"]}
    ),
]
ClockTime = Annotated[
    time,
    BeforeValidator(parse_clock),
    PlainSerializer(lambda value: value.strftime("%H:%M"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$", "examples": ["08:00"]}),
]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Text = Annotated[str, Field(max_length=4000)]
Percent = Annotated[int, Field(ge=0, le=100)]
