"""The user's own programs: argv without a shell, an environment of their own, killed with all their children."""

from cockpit.adapters.programs.runner import Programs

__all__ = ["Programs"]
