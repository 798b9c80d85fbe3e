from __future__ import annotations

import typing

import pytest

from cockpit.model import describe, events

TYPES = typing.get_args(typing.get_args(events.Event)[0])


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_every_event_has_words(kind: type) -> None:
    assert kind in describe._WORDS
