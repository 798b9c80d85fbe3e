"""The runbook document: schema, loading with line numbers, variables and secrets by reference."""
