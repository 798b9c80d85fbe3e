"""The dialogs: each returns the command that the person confirmed, or nothing."""
