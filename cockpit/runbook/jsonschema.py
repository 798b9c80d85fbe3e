"""The runbook's JSON Schema, for editors."""

from __future__ import annotations

import json

from cockpit.runbook.schema import Runbook


def schema_text() -> str:
    """The schema as JSON, the same text for the same code."""
    schema = Runbook.model_json_schema(by_alias=True)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Runbook, apiVersion cockpit/v1"}
    return json.dumps({**head, **schema, **head}, indent=2, ensure_ascii=False) + "\n"
