"""The base of the values that cross layers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen value that can be written as JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)
